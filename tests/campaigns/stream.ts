/** Tars for campaigns, and looking whether what comes back is the same. */
import assert from "node:assert/strict";
import { extract } from "../../lib/verbs/mod.ts";
import { joined, type Machine, noise } from "../repository/machine.ts";
import { END, member } from "../tar/archives.ts";
import { numbers, oneOf } from "./numbers.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * A tar of about `bytes`: many small files, some of hundreds of KiB, a few large ones; about a fifth of it can be compressed.
 * Two tars of different seeds have next to nothing in common.
 */
export function sampleTar(seed: number, bytes: number): Uint8Array<ArrayBuffer> {
  const next = numbers(seed);
  const members: Uint8Array[] = [];
  let length = 0;
  for (let file = 0; length < bytes; file++) {
    const most = oneOf(next, [600, 600, 4 * KIB, 64 * KIB, 400 * KIB, 5 * MIB]);
    const size = Math.min(next(most + 1), bytes);
    const content = next(5) === 0 ? words(size, next(2 ** 31)) : noise(size, next(2 ** 31));
    const one = member({ name: `seed-${seed}/folder-${file >> 6}/file-${file}` }, content);
    members.push(one);
    length += one.length;
  }
  return joined([...members, END]);
}

/** A text that compresses to about a third. */
function words(length: number, seed: number): Uint8Array {
  const next = numbers(seed);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = at % 7 === 6 ? 0x20 : 0x61 + next(6);
  return bytes;
}

/** What came of extracting a snapshot. */
export interface Restored {
  bytes: number;
  error?: Error;
}

/**
 * Extracts a snapshot and compares every piece as it comes: a wrong byte throws, an error of the extraction is returned.
 * Without an error, everything that should come has come (`isPrefix`: the snapshot may stand for the front of it).
 */
export async function restoredFrom(
  { session }: Machine,
  options: { snapshot?: string; expected: Uint8Array; isPrefix?: boolean },
): Promise<Restored> {
  const { snapshot, expected, isPrefix = false } = options;
  let at = 0;
  const output = (bytes: Uint8Array) => {
    assert.ok(sameBytes(bytes, expected.subarray(at, at + bytes.length)), `wrong bytes from byte ${at} on`);
    at += bytes.length;
  };
  try {
    const { bytes } = await extract(session, { snapshot, paths: [], output });
    assert.equal(bytes, at, "extract says another length than it wrote");
    assert.ok(isPrefix || at === expected.length, `only ${at} of ${expected.length} bytes came, without an error`);
    return { bytes: at };
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return { bytes: at, error: error as Error };
  }
}

/** The same, where no error is expected. */
export async function assertRestores(
  machine: Machine,
  options: { snapshot?: string; expected: Uint8Array; isPrefix?: boolean },
): Promise<number> {
  const { bytes, error } = await restoredFrom(machine, options);
  if (error !== undefined) throw error;
  return bytes;
}

/** Whether two arrays hold the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
