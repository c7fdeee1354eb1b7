// `key …`: who gets which key, and that nobody locks everybody out.

import assert from "node:assert/strict";
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from "age-encryption";
import { formatBundle, openSlot, parseBundle, readSlotInput, WrongKeyError } from "../../lib/crypto/mod.ts";
import { addSlot } from "../../lib/repository/mod.ts";
import { openDirectoryStore } from "../../lib/store/mod.ts";
import {
  keyAdd,
  type KeyAddOptions,
  keyList,
  keyPasswd,
  keyRemove,
  keyShow,
  listSnapshots,
  type VerbSession,
} from "../../lib/verbs/mod.ts";
import { type Founded, noise, sessionOf } from "../repository/machine.ts";
import { inRepository, listed, objectsIn, tarOf } from "./session.ts";

const TAR = tarOf(["a", noise(3000, 1)]);

/** A session of somebody with an age identity, on a machine of their own. */
function holder(place: Founded, identity: string): VerbSession {
  const home = `${place.folder}/${identity.slice(-8)}`;
  const session = sessionOf({
    location: place.location,
    state: `${home}/state`,
    config: `${home}/config`,
    key: identity,
  });
  return { ...session, askYes: () => Promise.resolve(true) };
}

/** A slot for a passphrase that costs nothing to open, beside the founder's. */
async function addCheapSlot(place: Founded, passphrase: string): Promise<string> {
  const store = await openDirectoryStore(place.location);
  try {
    return await addSlot(store, { bundle: place.fullKey, label: "cheap", to: { passphrase, workFactor: 2 } });
  } finally {
    await store.close();
  }
}

function forRecipient(recipient: string, options: Partial<KeyAddOptions> = {}): KeyAddOptions {
  return {
    role: "full",
    domain: undefined,
    label: undefined,
    out: undefined,
    recipients: [recipient],
    recipientsFiles: [],
    passphraseChoice: "none",
    ...options,
  };
}

Deno.test("a key is added for somebody else, who then reads everything", async () => {
  await inRepository(async (machine, place) => {
    await machine.create(TAR);
    const identity = await generateHybridIdentity();
    const added = await keyAdd(machine.session, forRecipient(await identityToRecipient(identity), { label: "ben" }));
    assert.equal(added.slots.length, 1);
    assert.match(added.slots[0]!, /^keys\/ben-[0-9a-f]{16}\.age$/);
    assert.match(added.code, /^[0-9a-z-]+$/i);
    assert.deepEqual(await listed(holder(place, identity)), ["a"]);
  });
});

Deno.test("a recipient that is not post-quantum is taken, with a warning", async () => {
  await inRepository(async (machine, place) => {
    const identity = await generateX25519Identity();
    await keyAdd(machine.session, forRecipient(await identityToRecipient(identity), { label: "classic" }));
    assert.match(machine.warnings.join(), /not post-quantum/);
    assert.deepEqual(await listSnapshots(holder(place, identity)), []);
    const lines = await keyList(machine.session);
    assert.deepEqual(lines.map(({ label, postQuantum }) => [label, postQuantum]).sort(), [
      ["classic", false],
      ["recipients", true],
    ]);
  });
});

Deno.test("a list key in a slot lists, and reads no body", async () => {
  await inRepository(async (machine, place) => {
    await machine.create(TAR);
    const identity = await generateHybridIdentity();
    await keyAdd(machine.session, forRecipient(await identityToRecipient(identity), { role: "list", label: "lister" }));
    const session = holder(place, identity);
    assert.deepEqual(await listed(session), ["a"]);
    await assert.rejects(keyRemove(session, { slot: "recipients" }), WrongKeyError);
  });
});

Deno.test("a write key is a file of its own domain, readable by its owner only, and never overwritten", async () => {
  await inRepository(async (machine, place) => {
    const options = { ...forRecipient(""), recipients: [], role: "write", label: "laptop" } as const;
    const added = await keyAdd(machine.session, options);
    assert.deepEqual(added.slots, []);
    assert.match(added.domain.name, /^laptop-[0-9a-f]{8}$/);
    assert.equal(added.file, `${machine.config}/keys/laptop.key`);
    assert.equal((await Deno.stat(added.file!)).mode! & 0o777, 0o600);
    const text = await Deno.readTextFile(added.file!);
    const bundle = parseBundle(text);
    assert.deepEqual([bundle.role, bundle.domain], ["write", added.domain]);
    assert.ok(!text.includes("root"));
    await assert.rejects(keyAdd(machine.session, options), /never overwritten/);
    assert.equal(await Deno.readTextFile(added.file!), text);
    // It is in no slot.
    assert.equal((await objectsIn(place.location, "keys")).length, 1);
    await place.machine(text).create(TAR);
  });
});

Deno.test("two write keys of one domain share it, others have their own", async () => {
  await inRepository(async (machine, place) => {
    const add = async (label: string, domain?: string) => {
      const { file } = await keyAdd(machine.session, {
        ...forRecipient(""),
        recipients: [],
        role: "write",
        label,
        domain,
        out: `${place.folder}/${label}`,
      });
      return place.machine(await Deno.readTextFile(file!));
    };
    const [one, two, three] = [await add("one", "servers"), await add("two", "servers"), await add("three")];
    assert.ok((await one.create(TAR)).newBytes > 0);
    assert.equal((await two.create(TAR)).newBytes, 0);
    assert.ok((await three.create(TAR)).newBytes > 0);
  });
});

Deno.test("a key can be written to a file instead of a slot", async () => {
  await inRepository(async (machine, place) => {
    const identity = await generateHybridIdentity();
    const out = `${place.folder}/key.age`;
    const added = await keyAdd(
      machine.session,
      forRecipient(await identityToRecipient(identity), { role: "list", out }),
    );
    assert.deepEqual([added.file, added.slots], [out, []]);
    const text = await openSlot(await Deno.readFile(out), { identities: [identity] });
    assert.equal(parseBundle(text).role, "list");
    assert.equal((await objectsIn(place.location, "keys")).length, 1);
  });
});

Deno.test("slots are listed without any key, damaged ones with what is wrong", async () => {
  await inRepository(async (machine, place) => {
    await addCheapSlot(place, "x");
    const secrets = { passphrase: () => Promise.reject(new Error("a passphrase was asked for")), identities: [] };
    const session = { ...machine.session, secrets };
    const lines = await keyList(session);
    assert.deepEqual(lines.map(({ label, sealedWith }) => [label, sealedWith]).sort(), [
      ["cheap", "passphrase"],
      ["recipients", "recipients: mlkem768x25519"],
    ]);
    await Deno.writeTextFile(`${place.location}/keys/bad-0123456789abcdef.age`, "age-encryption.org/v1\n");
    const problem = (await keyList(session)).find(({ problem }) => problem !== undefined);
    assert.match(problem!.problem!, /bad-0123456789abcdef/);
  });
});

Deno.test("a slot is removed with another full one, and its holder is out", async () => {
  await inRepository(async (machine, place) => {
    const identity = await generateHybridIdentity();
    const { slots } = await keyAdd(
      machine.session,
      forRecipient(await identityToRecipient(identity), { label: "ben" }),
    );
    const founder = holder(place, place.identity);
    assert.deepEqual(await keyRemove(founder, { slot: "ben" }), { removed: slots[0] });
    await assert.rejects(listSnapshots(holder(place, identity)), WrongKeyError);
    assert.deepEqual(await listSnapshots(founder), []);
  });
});

Deno.test("the last full slot cannot be removed, whatever it is called by", async () => {
  await inRepository(async (_, place) => {
    const founder = holder(place, place.identity);
    const [slot] = await objectsIn(place.location, "keys");
    for (const name of [slot!, "recipients", slot!.slice("keys/".length, -6)]) {
      await assert.rejects(keyRemove(founder, { slot: name }), WrongKeyError, name);
    }
    assert.deepEqual(await objectsIn(place.location, "keys"), [slot]);
  });
});

Deno.test("a slot is not removed by a key file: it proves no slot that stays", async () => {
  await inRepository(async (machine, place) => {
    await addCheapSlot(place, "x");
    await assert.rejects(keyRemove(machine.session, { slot: "cheap" }), /key file does not prove/);
    assert.equal((await objectsIn(place.location, "keys")).length, 2);
  });
});

Deno.test("a list slot that is left does not make the last full one removable", async () => {
  await inRepository(async (machine, place) => {
    const identity = await generateHybridIdentity();
    const recipient = await identityToRecipient(identity);
    await keyAdd(machine.session, forRecipient(recipient, { role: "list", label: "lister" }));
    await assert.rejects(keyRemove(holder(place, identity), { slot: "recipients" }), WrongKeyError);
    await assert.rejects(keyRemove(holder(place, place.identity), { slot: "recipients" }), WrongKeyError);
    await keyRemove(holder(place, place.identity), { slot: "lister" });
  });
});

Deno.test("a name that fits no slot, or several, removes nothing", async () => {
  await inRepository(async (machine, place) => {
    for (const label of ["ben", "bert"]) {
      const identity = await generateHybridIdentity();
      await keyAdd(machine.session, forRecipient(await identityToRecipient(identity), { label }));
    }
    const founder = holder(place, place.identity);
    await assert.rejects(keyRemove(founder, { slot: "nobody" }), /There is no key slot "nobody"/);
    await assert.rejects(keyRemove(founder, { slot: "be" }), /beginning of 2 key slots/);
    assert.equal((await objectsIn(place.location, "keys")).length, 3);
  });
});

Deno.test("a new passphrase takes the place of the old one, which opens nothing afterwards", async () => {
  await inRepository(async (_, place) => {
    const old = await addCheapSlot(place, "old words");
    const withPassphrase = (passphrase: string): VerbSession => ({
      ...holder(place, place.identity),
      secrets: { passphrase: () => Promise.resolve(passphrase), identities: [] },
      newSecrets: { passphrase: () => Promise.resolve("new words"), identities: [] },
    });
    const changed = await keyPasswd(withPassphrase("old words"), { slot: undefined, passphraseChoice: "ask" });
    assert.equal(changed.removed, old);
    assert.match(changed.added, /^keys\/cheap-/);
    assert.deepEqual((await objectsIn(place.location, "keys")).includes(old), false);
    assert.deepEqual(await listSnapshots(withPassphrase("new words")), []);
    await assert.rejects(listSnapshots(withPassphrase("old words")), WrongKeyError);
  });
});

Deno.test("a passphrase is changed only of the slot that was opened, and never of a key file", async () => {
  await inRepository(async (machine, place) => {
    await addCheapSlot(place, "x");
    const choice = { passphraseChoice: "ask" } as const;
    await assert.rejects(keyPasswd(holder(place, place.identity), { slot: "cheap", ...choice }), WrongKeyError);
    await assert.rejects(keyPasswd(machine.session, { slot: undefined, ...choice }), WrongKeyError);
    assert.equal((await objectsIn(place.location, "keys")).length, 2);
  });
});

Deno.test("the recovery sheet holds every slot as text, and a slot typed from it opens the repository", async () => {
  await inRepository(async (machine, place) => {
    await machine.create(TAR);
    await addCheapSlot(place, "on paper");
    const { sheet, code } = await keyShow(machine.session);
    for (const part of [place.location, place.full.repository, code]) assert.ok(sheet.includes(part), part);
    // No line of it is the key itself.
    for (const secret of [place.full.root.toHex(), place.identity, "on paper"]) assert.ok(!sheet.includes(secret));
    const slots = sheet.match(/-----BEGIN AGE[^]*?-----END AGE ENCRYPTED FILE-----/g)!;
    assert.equal(slots.length, 2);
    await Deno.remove(`${place.location}/keys`, { recursive: true });
    const opened: string[] = [];
    for (const text of slots) {
      const session: VerbSession = {
        ...holder(place, place.identity),
        secrets: { passphrase: () => Promise.resolve("on paper"), identities: [text, place.identity] },
      };
      opened.push(...await listed(session));
    }
    assert.deepEqual(opened, ["a", "a"]);
  });
});

Deno.test("a slot on paper is read however it was typed in", async () => {
  await inRepository(async (machine, place) => {
    await addCheapSlot(place, "x");
    const { sheet } = await keyShow(machine.session);
    const [, text] = /Key slot keys\/cheap[^]*?(-----BEGIN AGE[^]*?-----END AGE ENCRYPTED FILE-----)/.exec(sheet)!;
    const slot = await readSlotInput(new TextEncoder().encode(`\n${text!.replace(/\n/g, "\r\n")}\n\n`), "the slot");
    const bundle = await openSlot(slot, { passphrase: "x" });
    assert.equal(bundle, formatBundle(place.full));
  });
});
