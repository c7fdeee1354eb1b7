import assert from "node:assert/strict";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import {
  DamageError,
  formatBundle,
  parseBundle,
  sealSlot,
  slotName,
  UnsupportedError,
  WrongKeyError,
} from "../../lib/crypto/mod.ts";
import { addSlot, checkPin, listSlots, openFirstSlot } from "../../lib/repository/mod.ts";
import type { Store } from "../../lib/store/mod.ts";
import { type Bench, onBench } from "./bench.ts";
import { inFolder } from "./machine.ts";

/** scrypt as cheap as it can be. */
const CHEAP = { workFactor: 1 };

/** Opens a slot as the verbs do: what is in it must be a key. */
function openWith(store: Store, keys: { identity?: string; passphrase?: string; only?: string }) {
  return openFirstSlot(store, {
    keys: {
      identities: keys.identity === undefined ? [] : [keys.identity],
      passphrase: () =>
        keys.passphrase === undefined ? Promise.reject(new Error("nobody to ask")) : Promise.resolve(keys.passphrase),
      ...(keys.only === undefined ? {} : { only: keys.only }),
    },
    accept: ({ bundle }) => Promise.resolve(parseBundle(bundle).repository.length > 0),
  });
}

async function owner(): Promise<{ identity: string; recipient: string }> {
  const identity = await generateHybridIdentity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** Puts a slot whose bytes are not those of its name. */
async function putBroken(store: Store, label: string, bytes: Uint8Array): Promise<void> {
  await store.put(slotName(label, new Uint8Array(1)), bytes);
}

/** Every way in which somebody without a key can fill `keys/`. */
async function putJunk({ store }: Bench, recipient: string): Promise<void> {
  const put = async (label: string, bytes: Uint8Array) => await store.put(slotName(label, bytes), bytes);
  const other = await owner();
  await put("a-empty", new Uint8Array());
  await put("a-garbage", new TextEncoder().encode("garbage"));
  await put("a-large", new Uint8Array(70_000));
  await put("a-for-me-but-garbage", await sealSlot("garbage", { recipients: [recipient] }));
  await put(
    "a-for-me-but-newer",
    await sealSlot(JSON.stringify({ format: "tarzan key", version: 2 }), { recipients: [recipient] }),
  );
  const cut = await sealSlot("x".repeat(1000), { recipients: [recipient] });
  await put("a-for-me-but-cut", cut.slice(0, -500));
  await put("a-for-others", await sealSlot("for others", { recipients: [other.recipient] }));
  await put("a-passphrase", await sealSlot("of others", { passphrase: "theirs", ...CHEAP }));
  await put(
    "a-costly",
    new TextEncoder().encode(
      `age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 40\n${"A".repeat(43)}\n--- ${"A".repeat(43)}\n` +
        "x".repeat(64),
    ),
  );
  await putBroken(store, "a-renamed", await sealSlot("renamed", { recipients: [recipient] }));
  await store.put("keys/README", new TextEncoder().encode("not a slot"));
  await store.put("keys/deeper/slot-0123456789abcdef.age", new Uint8Array(10));
}

Deno.test(
  "slots that anybody put there do not keep the owner of a good one out, by identity or by passphrase",
  onBench(async (bench) => {
    const { store, full } = bench;
    const { identity, recipient } = await owner();
    const bundle = formatBundle(full);
    await putJunk(bench, recipient);
    await addSlot(store, { bundle, label: "mine", to: { recipients: [recipient] } });
    await addSlot(store, { bundle, label: "typed", to: { passphrase: "mine", ...CHEAP } });
    const opened = await openWith(store, { identity });
    assert.equal(opened.bundle, bundle);
    assert.equal(opened.proved, false, "anybody could have sealed it");
    assert.match(opened.name, /^keys\/mine-/);
    const typed = await openWith(store, { passphrase: "mine" });
    assert.equal(typed.bundle, bundle);
    assert.equal(typed.proved, true);
  }),
);

Deno.test(
  "those who come later cannot crowd out the slots that were there, however many they put",
  onBench(async ({ store, full, setTime }) => {
    const { identity, recipient } = await owner();
    const bundle = formatBundle(full);
    await addSlot(store, { bundle, label: "zz", to: { recipients: [recipient] } });
    setTime("2026-05-05T00:00:00Z");
    for (let i = 0; i < 200; i++) {
      const bytes = new TextEncoder().encode(`junk ${i}`);
      await store.put(slotName("a", bytes), bytes);
    }
    assert.equal((await openWith(store, { identity })).bundle, bundle);
  }),
);

Deno.test(
  "only the slot that is asked for is opened",
  onBench(async ({ store, full, writeKey }) => {
    const { identity, recipient } = await owner();
    await addSlot(store, { bundle: formatBundle(full), label: "one", to: { recipients: [recipient] } });
    const second = formatBundle(await writeKey("web"));
    const name = await addSlot(store, { bundle: second, label: "two", to: { recipients: [recipient] } });
    assert.equal((await openWith(store, { identity, only: "two" })).bundle, second);
    assert.equal((await openWith(store, { identity, only: name })).bundle, second);
    await assert.rejects(openWith(store, { identity, only: "three" }), WrongKeyError);
  }),
);

Deno.test(
  "a passphrase is asked for only when a slot needs one",
  onBench(async ({ store, full }) => {
    const { identity, recipient } = await owner();
    const stranger = await owner();
    await addSlot(store, { bundle: formatBundle(full), label: "mine", to: { recipients: [recipient] } });
    await openWith(store, { identity });
    await assert.rejects(openWith(store, { identity: stranger.identity }), WrongKeyError);
    await assert.rejects(openWith(store, {}), WrongKeyError, "nobody is asked: no slot has a passphrase");
  }),
);

Deno.test(
  "why no slot opened is told by the slot that says most",
  onBench(async ({ store, full }) => {
    await assert.rejects(openWith(store, {}), WrongKeyError);
    const { identity, recipient } = await owner();
    const newer = await sealSlot(
      formatBundle(full).replace('"version":1', '"version":2'),
      { recipients: [recipient] },
    );
    await store.put(slotName("newer", newer), newer);
    await assert.rejects(openWith(store, { identity }), UnsupportedError);
    await addSlot(store, { bundle: formatBundle(full), label: "typed", to: { passphrase: "right", ...CHEAP } });
    await assert.rejects(openWith(store, { passphrase: "wrong" }), WrongKeyError);
    await store.delete(slotName("newer", newer));
    const [typed] = await Array.fromAsync(store.list("keys/"));
    const bytes = await store.get(typed!.name);
    bytes[bytes.length - 1]! ^= 1;
    await store.put(typed!.name, bytes);
    await assert.rejects(openWith(store, { passphrase: "right" }), DamageError);
  }),
);

Deno.test(
  "with several slots for one identity, the one whose pin is known is found behind those that were never seen",
  onBench(async ({ store, full }) =>
    await inFolder(async (folder) => {
      const { identity, recipient } = await owner();
      const forged = { ...full, root: new Uint8Array(32).fill(7) };
      await addSlot(store, { bundle: formatBundle(forged), label: "a", to: { recipients: [recipient] } });
      await addSlot(store, { bundle: formatBundle(full), label: "b", to: { recipients: [recipient] } });
      const pins = { folder, location: "here" };
      await checkPin({ bundle: formatBundle(full), repository: full.repository, proved: true }, pins);
      const open = () =>
        openFirstSlot(store, {
          keys: { identities: [identity], passphrase: () => Promise.reject(new Error("nobody to ask")) },
          accept: async ({ bundle, proved }) => {
            await checkPin({ bundle, proved, repository: parseBundle(bundle).repository }, pins);
            return true;
          },
        });
      assert.equal((await open()).bundle, formatBundle(full));
      await store.delete((await listSlots(store)).slots.find(({ label }) => label === "b")!.name);
      await assert.rejects(open(), WrongKeyError);
      // Another slot has a passphrase, and nobody to say it: the pin is still what is told of.
      await addSlot(store, { bundle: formatBundle(full), label: "c", to: { passphrase: "right", ...CHEAP } });
      await assert.rejects(open(), WrongKeyError);
    })
  ),
);

Deno.test(
  "a listing says which slots there are and what is wrong with the others",
  onBench(async (bench) => {
    const { recipient } = await owner();
    await putJunk(bench, recipient);
    const { slots, problems } = await listSlots(bench.store);
    const labels = slots.map(({ label }) => label).sort();
    assert.deepEqual(labels, [
      "a-for-me-but-cut",
      "a-for-me-but-garbage",
      "a-for-me-but-newer",
      "a-for-others",
      "a-passphrase",
    ]);
    assert.equal(problems.length, 5);
    for (const { message } of problems) assert.match(message, /keys\/a-/);
  }),
);
