/**
 * AES-GCM loses everything when a nonce is used twice under one key. Here every single use is recorded, where it happens: at
 * Web Crypto, which all sealing goes through. Then runs are interrupted in all sorts of ways, and done again.
 */
import assert from "node:assert/strict";
import { Catalog } from "../../lib/catalog/mod.ts";
import { Keyring, toHex, unwrapKey } from "../../lib/crypto/mod.ts";
import { openRepository, parseBrickObject, readHeader } from "../../lib/repository/mod.ts";
import { openDirectoryStore, type Store } from "../../lib/store/mod.ts";
import { type Call, failing, failingAfter, repeating } from "../store/faults.ts";
import { backUp } from "../repository/backup.ts";
import { onBench } from "../repository/bench.ts";
import { found, inFolder } from "../repository/machine.ts";
import { hurriedClock, LARGE, LATE_PIECE, SMALL } from "../repository/streams.ts";

/** What was sealed: key and nonce, in hex. */
class SealLog {
  readonly #raw = new WeakMap<CryptoKey, string>();
  readonly #seen = new Map<string, number>();
  readonly #subtle = crypto.subtle;
  readonly #own = { importKey: this.#subtle.importKey, encrypt: this.#subtle.encrypt };
  readonly keys = new Set<string>();
  count = 0;
  /** Fails this call of encrypt, counted from 1. */
  failAt = Infinity;

  /** Records until `stop`. */
  start(): void {
    const { importKey, encrypt } = this.#own;
    const subtle = this.#subtle;
    const importing = async (...args: Parameters<SubtleCrypto["importKey"]>) => {
      const key = await importKey.apply(subtle, args);
      if (args[0] === "raw") this.#raw.set(key, toHex(new Uint8Array(args[1] as Uint8Array<ArrayBuffer>)));
      return key;
    };
    const encrypting = (...args: Parameters<SubtleCrypto["encrypt"]>) => {
      const { iv } = args[0] as AesGcmParams;
      this.#note(this.#raw.get(args[1])!, toHex(new Uint8Array(iv as Uint8Array)));
      if (this.count === this.failAt) return Promise.reject(new Error("this call fails"));
      return encrypt.apply(subtle, args);
    };
    Object.assign(subtle, { importKey: importing, encrypt: encrypting });
  }

  stop(): void {
    Reflect.deleteProperty(this.#subtle, "importKey");
    Reflect.deleteProperty(this.#subtle, "encrypt");
  }

  #note(key: string, nonce: string): void {
    assert.ok(key !== undefined, "a key that came from somewhere else");
    this.count++;
    this.keys.add(key);
    const use = `${key} ${nonce}`;
    this.#seen.set(use, (this.#seen.get(use) ?? 0) + 1);
  }

  assertNoneTwice(): void {
    const twice = [...this.#seen].filter(([, count]) => count > 1);
    assert.equal(twice.length, 0, `${twice.length} of ${this.#seen.size} nonces were used more than once`);
  }
}

async function recorded(work: (log: SealLog) => Promise<void>): Promise<void> {
  const log = new SealLog();
  log.start();
  try {
    await work(log);
  } finally {
    log.stop();
  }
  assert.ok(log.count > 20, `only ${log.count} frames were sealed`);
  assert.ok(log.keys.size > 4, `only ${log.keys.size} keys were used`);
  log.assertNoneTwice();
}

Deno.test("a recorder of nonces sees every block, and would see a repetition", async () => {
  const log = new SealLog();
  log.start();
  try {
    const key = await crypto.subtle.importKey("raw", new Uint8Array(32), "AES-GCM", false, ["encrypt"]);
    const again = await crypto.subtle.importKey("raw", new Uint8Array(32), "AES-GCM", false, ["encrypt"]);
    const parameters = { name: "AES-GCM", iv: new Uint8Array(12) };
    for (const one of [key, again]) await crypto.subtle.encrypt(parameters, one, new Uint8Array(5));
  } finally {
    log.stop();
  }
  assert.throws(() => log.assertNoneTwice());
});

Deno.test(
  "no nonce is used twice when a run, its checkpoints and the next runs seal",
  onBench(async ({ open }) =>
    await recorded(async () => {
      await backUp(await open(), LARGE, { now: hurriedClock() });
      await backUp(await open(), LARGE);
      await backUp(await open(), SMALL);
    })
  ),
);

const faults: { name: string; call: Call; prefix: string; nth: number }[] = [
  { name: "a brick cannot be stored", call: "commit", prefix: "bricks/", nth: 3 },
  { name: "a recipe cannot be stored", call: "commit", prefix: "meta/", nth: 1 },
  { name: "a ledger object cannot be stored", call: "put", prefix: "ledger/", nth: 1 },
  { name: "an index cannot be stored", call: "put", prefix: "index/", nth: 2 },
  { name: "writing fails in the middle", call: "write", prefix: "", nth: 9 },
];
const ways: Record<string, (store: Store, place: typeof faults[number]) => Store> = {
  "and it was not": failing,
  "or so it seems, and it was": failingAfter,
  "and is sent twice": repeating,
};
for (const [way, wrapped] of Object.entries(ways)) {
  for (const fault of faults.filter(({ call }) => call !== "write" || wrapped === failing)) {
    Deno.test(
      `no nonce is used twice when ${fault.name} ${way}, and the run is done again`,
      onBench(async ({ store, open }) =>
        await recorded(async () => {
          const run = async () =>
            await backUp(await open({ store: wrapped(store, fault) }), LARGE, { now: hurriedClock() });
          if (wrapped === repeating) await run();
          else await assert.rejects(run());
          await backUp(await open(), LARGE);
        })
      ),
    );
  }
}

Deno.test(
  "no nonce is used twice when a run is cut off, or a thread fails at any frame, and it is done again",
  onBench(async ({ open }) =>
    await recorded(async (log) => {
      const died = (piece: number) => {
        if (piece === LATE_PIECE) throw new Error("died");
      };
      await assert.rejects(backUp(await open(), LARGE, { afterPiece: died }), /died/);
      for (const frame of [1, 2, 5, 8, 12]) {
        log.failAt = log.count + frame;
        await assert.rejects(backUp(await open(), LARGE), /this call fails/);
      }
      log.failAt = Infinity;
      await backUp(await open(), LARGE);
    })
  ),
);

Deno.test(
  "no nonce is used twice when two runs seal side by side",
  onBench(async ({ open }) =>
    await recorded(async () => {
      const runs = [await open(), await open(), await open()];
      await Promise.all(runs.map((repository) => backUp(repository, LARGE)));
    })
  ),
);

Deno.test("with several threads, too, every brick has a key of its own, whoever made it and when", () =>
  inFolder(async (folder) => {
    const founded = await found(folder);
    const machines = [founded.machine(founded.fullKey), founded.machine(founded.fullKey)];
    const choice = { threads: 3, brickBytes: 2 ** 21, level: 0 };
    await Promise.all(machines.map((machine) => machine.create(LARGE, choice)));
    await machines[0]!.create(SMALL, choice);
    const store = await openDirectoryStore(founded.location);
    const catalog = Catalog.open(":memory:", { repository: founded.full.repository });
    try {
      const keyring = new Keyring(founded.full);
      const repository = await openRepository({ store, keyring, catalog });
      const domain = keyring.defaultDomain.id;
      const [keys, headers] = [new Set<string>(), new Set<string>()];
      let bricks = 0;
      for await (const { name } of store.list("")) {
        const brick = parseBrickObject(name);
        if (brick === undefined) continue;
        bricks++;
        const { ageFile, hm } = await readHeader(repository, { ...brick, domain });
        const identity = brick.kind === "D" ? await keyring.dataIdentity() : await keyring.metaIdentity();
        keys.add(toHex(await unwrapKey(ageFile, identity!, name)));
        headers.add(toHex(hm));
      }
      assert.ok(bricks > 20, `${bricks} bricks`);
      assert.deepEqual([keys.size, headers.size], [bricks, bricks]);
    } finally {
      catalog.close();
      await store.close();
    }
  }));
