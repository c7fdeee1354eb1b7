/**
 * Repositories that streams go through and come back from: `create` on one machine, then `verify` of all data and `extract`
 * on another one that knows only the key. Several streams share a repository, so that each finds what others stored.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { openSlot } from "../../lib/crypto/mod.ts";
import { type CreateResult, init } from "../../lib/verbs/mod.ts";
import { inFolder, type Machine, machineOf, sessionOf, SMALL_CHUNKS } from "../repository/machine.ts";

export { SMALL_CHUNKS };

/** Chunk sizes of a repository whose owner did not choose any. */
export const USUAL_CHUNKS = { min: 64 * 1024, average: 256 * 1024, max: 1024 * 1024 };

/** A stream and what to call it when it does not come back. */
export interface Stream {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A new repository, and machines that have its full key and have never seen it. */
export interface Place {
  readonly location: string;
  machine(): Machine;
}

/** Runs a test with a repository that is removed afterwards. Its key is given as a text, which costs no scrypt. */
export async function inRepository(
  test: (place: Place) => Promise<void>,
  chunkSizes: typeof USUAL_CHUNKS = USUAL_CHUNKS,
): Promise<void> {
  await inFolder(async (folder) => {
    const location = `${folder}/repository`;
    const identity = await generateIdentity();
    const founder = sessionOf({ location, state: `${folder}/founder/state`, config: `${folder}/founder/config` });
    const recipients = [await identityToRecipient(identity)];
    const { slots } = await init(founder, { chunkSizes, recipients, recipientsFiles: [], passphraseChoice: "none" });
    const key = await openSlot(await Deno.readFile(`${location}/${slots[0]!}`), { identities: [identity] });
    let machines = 0;
    const machine = () => {
      const home = `${folder}/machine-${++machines}`;
      return machineOf({ location, state: `${home}/state`, config: `${home}/config`, key });
    };
    await test({ location, machine });
  });
}

/** SHA-256, in hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Takes every stream through a new repository and back; what `create` said of each. */
export async function comeBack(
  streams: Iterable<Stream>,
  chunkSizes: typeof USUAL_CHUNKS = USUAL_CHUNKS,
): Promise<Map<string, CreateResult>> {
  const results = new Map<string, CreateResult>();
  const digests = new Map<string, string>();
  /** Lengths of streams by their digests: equal ones are replayed once. */
  const lengths = new Map<string, number>();
  await inRepository(async ({ machine }) => {
    const writer = machine();
    for (const { name, bytes } of streams) {
      assert.ok(!results.has(name), `two streams are called ${name}`);
      results.set(name, await of(name, () => writer.create(bytes)));
      const digest = sha256(bytes);
      digests.set(name, digest);
      lengths.set(digest, bytes.length);
      assert.equal(results.get(name)!.bytes, bytes.length, name);
    }
    const reader = machine();
    const { problems, snapshots, bytesReplayed } = await reader.verify({ data: true });
    assert.deepEqual(problems, []);
    assert.equal(snapshots, results.size);
    assert.equal(bytesReplayed, [...lengths.values()].reduce((sum, length) => sum + length, 0));
    for (const [name, { snapshot }] of results) {
      assert.equal(sha256(await of(name, () => reader.extract(snapshot))), digests.get(name), `${name}: other bytes`);
    }
  }, chunkSizes);
  assert.ok(results.size > 0, "no stream at all");
  return results;
}

/** Says which stream an error was about. */
async function of<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
}
