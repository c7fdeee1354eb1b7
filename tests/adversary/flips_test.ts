/**
 * One flipped bit, anywhere, in any object of a real repository: whoever reads that object notices. What is behind a
 * GCM tag needs no more than one bit a byte in its longest stretches; everything else is tried bit by bit.
 */
import assert from "node:assert/strict";
import { Catalog } from "../../lib/catalog/mod.ts";
import {
  checkSlotName,
  DamageError,
  Keyring,
  Opener,
  parseBundle,
  UnsupportedError,
  unwrapKey,
} from "../../lib/crypto/mod.ts";
import { tocBlocks, unpackBlock } from "../../lib/brick/mod.ts";
import {
  checkBrickPadding,
  CONFIG_NAME,
  learn,
  listIndexes,
  noteDamage,
  openRepository,
  parseBrickObject,
  readBrickToc,
  readIndex,
  readLedger,
  recordDamage,
  type Repository,
} from "../../lib/repository/mod.ts";
import { openDirectoryStore, type Store } from "../../lib/store/mod.ts";
import { END, member } from "../tar/archives.ts";
import { found, type Founded, inFolder, joined, noise } from "../repository/machine.ts";

/** Whether reading an object with these bytes in its place is noticed, and how. */
type Reader = (bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>;

interface Tiny {
  founded: Founded;
  repository: Repository;
  objects: Map<string, Uint8Array<ArrayBuffer>>;
  /** The repository with other bytes in place of one object. */
  withBytes(name: string, bytes: Uint8Array<ArrayBuffer>): Repository;
}

/** A repository with one small backup and a record of damage, opened with the full key. */
async function onTiny(test: (tiny: Tiny) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const founded = await found(folder);
    const machine = founded.machine(founded.fullKey);
    await machine.create(joined([member({ name: "a" }, noise(700, 1)), member({ name: "b" }, "tiny"), END]));
    const store = await openDirectoryStore(founded.location);
    const catalog = Catalog.open(":memory:", { repository: founded.full.repository });
    try {
      const keyring = new Keyring(parseBundle(founded.fullKey));
      const repository = await openRepository({ store, keyring, catalog });
      await learn(repository, keyring.defaultDomain.id);
      await recordDamage(repository, [{ brick: "ab".repeat(32), blocks: [1, 2] }]);
      const objects = new Map<string, Uint8Array<ArrayBuffer>>();
      for await (const { name } of store.list("")) objects.set(name, await store.get(name));
      const withBytes = (name: string, bytes: Uint8Array<ArrayBuffer>) => ({
        ...repository,
        store: replacing(store, name, bytes),
      });
      await test({ founded, repository, objects, withBytes });
    } finally {
      catalog.close();
      await store.close();
    }
  });
}

function replacing(store: Store, replaced: string, bytes: Uint8Array<ArrayBuffer>): Store {
  return {
    location: store.location,
    list: (prefix, options) => store.list(prefix, options),
    head: (name) => store.head(name),
    get(name, range) {
      if (name !== replaced) return store.get(name, range);
      return Promise.resolve(range === undefined ? bytes.slice() : bytes.slice(range.from, range.from + range.length));
    },
    put: (name, bytes, options) => store.put(name, bytes, options),
    delete: (name) => store.delete(name),
    stage: () => store.stage(),
    now: () => store.now(),
    close: () => store.close(),
  };
}

/** Flips bits of `bytes`, one at a time; every one must be noticed. `only` says which bits of which bytes to try. */
async function everyFlip(
  what: string,
  bytes: Uint8Array<ArrayBuffer>,
  { read, from = 0, to = bytes.length, only = () => true }: {
    read: Reader;
    from?: number;
    to?: number;
    only?: (byte: number, bit: number) => boolean;
  },
): Promise<Map<string, number>> {
  await read(bytes);
  const noticed = new Map<string, number>();
  const flipped = bytes.slice();
  for (let byte = from; byte < to; byte++) {
    for (let bit = 0; bit < 8; bit++) {
      if (!only(byte, bit)) continue;
      flipped[byte]! ^= 1 << bit;
      const error: unknown = await read(flipped).then(() => undefined, (error) => error);
      flipped[byte]! ^= 1 << bit;
      const isOurs = error instanceof DamageError || error instanceof UnsupportedError;
      assert.ok(isOurs, `bit ${bit} of byte ${byte} of ${what}: ${error === undefined ? "not noticed" : error}`);
      noticed.set(error.name, (noticed.get(error.name) ?? 0) + 1);
    }
  }
  return noticed;
}

/** One bit of each byte, another one in the next. */
const oneOfEight = (byte: number, bit: number) => bit === byte % 8;

/** The ways in which the parts of a brick are read, by a restore and by `verify --data`. */
async function brickReaders(repository: Repository, object: string, whole: Uint8Array<ArrayBuffer>) {
  const { kind, name } = parseBrickObject(object)!;
  const { keyring } = repository;
  const domain = keyring.defaultDomain.id;
  const brick = { kind, name, domain, bytes: whole.length };
  const { header, toc, tocAt } = await readBrickToc(repository, brick);
  const identity = kind === "D" ? await keyring.dataIdentity() : await keyring.metaIdentity();
  const opener = new Opener(await unwrapKey(header.ageFile, identity!, "the key"), header.hm);
  const blocks = tocBlocks(toc);
  const blocksAt = header.bytes.length;
  const last = blocks.at(-1)!;
  const within = (bytes: Uint8Array<ArrayBuffer>) => ({
    ...repository,
    store: replacing(repository.store, object, bytes),
  });
  const readToc: Reader = (bytes) => readBrickToc(within(bytes), brick);
  const readPadding: Reader = (bytes) => checkBrickPadding(within(bytes), brick);
  const readBlocks: Reader = async (bytes) => {
    for (const [number, { offset, sealedLength, rawLength }] of blocks.entries()) {
      const frame = bytes.slice(blocksAt + offset, blocksAt + offset + sealedLength);
      unpackBlock(await opener.open("B", number, frame), rawLength, "the block");
    }
  };
  return { blocksAt, paddingAt: blocksAt + last.offset + last.sealedLength, tocAt, readToc, readPadding, readBlocks };
}

Deno.test("every bit of a brick's header, blocks and trailer, and a bit of every byte of its toc, is noticed", () =>
  onTiny(async ({ repository, objects }) => {
    for (const [name, bytes] of objects) {
      if (parseBrickObject(name) === undefined) continue;
      const { blocksAt, paddingAt, tocAt, readToc, readPadding, readBlocks } = await brickReaders(
        repository,
        name,
        bytes,
      );
      const header = await everyFlip(`the header of ${name}`, bytes, { read: readToc, to: blocksAt });
      assert.ok((header.get("UnsupportedError") ?? 0) <= 3, "only the digit of the version passes for a newer one");
      const trailerAt = bytes.length - 12;
      const others = [
        await everyFlip(`the blocks of ${name}`, bytes, { read: readBlocks, from: blocksAt, to: paddingAt }),
        await everyFlip(`the padding of ${name}`, bytes, {
          read: readPadding,
          from: paddingAt,
          to: tocAt,
          only: (byte, bit) => byte % 16 === 0 && oneOfEight(byte / 16, bit) || byte >= tocAt - 16,
        }),
        await everyFlip(`the toc of ${name}`, bytes, { read: readToc, from: tocAt, to: trailerAt, only: oneOfEight }),
        await everyFlip(`the trailer of ${name}`, bytes, { read: readToc, from: trailerAt }),
      ];
      for (const flips of others) {
        assert.equal(flips.get("UnsupportedError") ?? 0, 0, "damage does not pass for something newer");
      }
    }
  }));

Deno.test("every bit of a ledger object's header, and a bit of every byte behind it, is noticed", () =>
  onTiny(async ({ repository, objects, withBytes }) => {
    const domain = repository.keyring.defaultDomain.id;
    const ledgers = [...objects].filter(([name]) => name.startsWith("ledger/"));
    assert.equal(ledgers.length, 1);
    for (const [name, bytes] of ledgers) {
      const flips = await everyFlip(name, bytes, {
        read: (bytes) => readLedger(withBytes(name, bytes), domain, name),
        only: (byte, bit) => byte < 128 || oneOfEight(byte, bit),
      });
      assert.ok((flips.get("UnsupportedError") ?? 0) <= 3, "only the digit of the version passes for a newer one");
    }
  }));

Deno.test("every bit of an index is noticed", () =>
  onTiny(async ({ repository, objects, withBytes }) => {
    const [index] = await listIndexes(repository);
    const name = `index/${index!.domain}/${index!.snapshot}.json`;
    const flips = await everyFlip(name, objects.get(name)!, {
      read: (bytes) => readIndex(withBytes(name, bytes), index!),
    });
    assert.equal(flips.get("UnsupportedError") ?? 0, 0);
  }));

Deno.test("every bit of a record of damage is noticed", () =>
  onTiny(async ({ objects, withBytes }) => {
    const [name, bytes] = [...objects].find(([name]) => name.startsWith("records/"))!;
    const flips = await everyFlip(name, bytes, {
      async read(bytes) {
        const { problems } = await noteDamage(withBytes(name, bytes), { again: true });
        if (problems.length > 0) throw problems[0];
      },
    });
    assert.equal(flips.get("UnsupportedError") ?? 0, 0);
  }));

Deno.test("every bit of a key slot is noticed, without any key", () =>
  onTiny(async ({ objects }) => {
    const [name, bytes] = [...objects].find(([name]) => name.startsWith("keys/"))!;
    await everyFlip(name, bytes, { read: (bytes) => Promise.resolve().then(() => checkSlotName(name, bytes)) });
  }));

Deno.test("every bit of tarzan.json is noticed by whoever has a key", () =>
  onTiny(async ({ objects, withBytes }) => {
    await everyFlip(CONFIG_NAME, objects.get(CONFIG_NAME)!, {
      read: (bytes) => openRepository(withBytes(CONFIG_NAME, bytes)),
    });
  }));

/** The byte in the middle of an object, with one bit flipped on the disk while `look` looks. */
async function withFlip<T>(path: string, at: number, look: () => Promise<T>): Promise<T> {
  const bytes = await Deno.readFile(path);
  bytes[at]! ^= 1;
  await Deno.writeFile(path, bytes);
  try {
    return await look();
  } finally {
    bytes[at]! ^= 1;
    await Deno.writeFile(path, bytes);
  }
}

Deno.test("verify says so, on the machine that wrote it and on one that sees it first, and the next day all is well", () =>
  onTiny(async ({ founded, objects }) => {
    const old = founded.machine(founded.fullKey);
    await old.verify({ bricks: true, data: true });
    for (const [name, bytes] of objects) {
      const isBrick = parseBrickObject(name) !== undefined;
      const places = isBrick
        ? [100, 3000, bytes.length - 5000, bytes.length - 500, bytes.length - 3]
        : [40, bytes.length - 40];
      for (const at of name === "CACHEDIR.TAG" ? [] : places) {
        for (const machine of [old, founded.machine(founded.fullKey)]) {
          const modes = isBrick ? [{ bricks: true }, { data: true }] : [{}];
          for (const mode of modes) {
            const noticed = await withFlip(`${founded.location}/${name}`, at, () => machine.verify(mode)).then(
              ({ problems }) => problems.length > 0,
              (error) => error instanceof DamageError || error instanceof UnsupportedError,
            );
            assert.ok(noticed, `byte ${at} of ${name}, verify ${JSON.stringify(mode)}`);
          }
        }
      }
    }
    // What was damaged for a moment is on record as such; nothing else is wrong.
    assert.deepEqual((await old.verify({ bricks: true, data: true })).problems, []);
  }));
