/** Places for cold stores to be tested in: the emulator's vaults and buckets, and memory. */
import { createHash } from "node:crypto";
import { type ColdClass, type ColdStore, type ColdUpload, LEAF_BYTES, TreeHasher } from "../../lib/glacier/mod.ts";
import { S3Cold } from "../../lib/glacier/s3_cold.ts";
import { VaultClient } from "../../lib/glacier/vault/client.ts";
import type { Pace } from "../../lib/glacier/vault/retry.ts";
import { type VaultOptions, VaultStore } from "../../lib/glacier/vault/mod.ts";
import { type Bucket, openBucket } from "../../lib/store/mod.ts";
import { type Emulator, startEmulator } from "../emulator/mod.ts";
import { ColdPlaceInMemory, openMemoryCold } from "./memory_cold.ts";

/** A place, and time in it. */
export interface World {
  isVault: boolean;
  class: ColdClass;
  /** As a process of its own would. */
  open(): Promise<ColdStore>;
  advance(ms: number): Promise<void>;
  now(): Date;
  close(): Promise<void>;
}

/** What cold stores of the emulator need: time that passes by waiting, always the same randomness. */
function timeOf({ clock }: Emulator) {
  let nowMs = 0;
  const sleep = (ms: number, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    nowMs += ms;
    clock.advance(ms);
    return Promise.resolve();
  };
  return { now: () => clock.now(), nowMs: () => nowMs, sleep, random: () => 0.5 };
}

/** The same with patience for a day. */
export function paceOf(emulator: Emulator): Pace {
  return { ...timeOf(emulator), patienceMs: 24 * 3_600_000, firstContactMs: 24 * 3_600_000, warn: () => {} };
}

/** A client for the emulator's vault. */
export function emulatedVaultClient(emulator: Emulator): VaultClient {
  const { accessKeyId, secretAccessKey, region } = emulator;
  return new VaultClient({
    ...{ region, vault: "vault", endpoint: new URL(emulator.endpoint), pace: paceOf(emulator) },
    credentials: () => Promise.resolve({ accessKeyId, secretAccessKey }),
    ...{ idleMs: 60_000, signal: new AbortController().signal },
  });
}

/** Opens the emulator's vault as one process would; parts are of a MiB. */
export function openEmulatedVault(emulator: Emulator, options: Partial<VaultOptions> = {}): VaultStore {
  const { accessKeyId, secretAccessKey, region } = emulator;
  return new VaultStore({
    region,
    vault: "vault",
    endpoint: new URL(emulator.endpoint),
    credentials: () => Promise.resolve({ accessKeyId, secretAccessKey }),
    pace: paceOf(emulator),
    stallMs: 60_000,
    budgetBytes: 4 * LEAF_BYTES,
    partBytes: LEAF_BYTES,
    ...options,
  });
}

export const startAt = new Date("2026-03-01T10:00:00Z");

/** An emulator with one vault named `vault`. */
export async function vaultWorld(): Promise<World & { emulator: Emulator }> {
  const emulator = await startEmulator({ startAt });
  emulator.createVault("vault");
  return {
    ...{ emulator, isVault: true, class: "VAULT" },
    open: () => Promise.resolve(openEmulatedVault(emulator)),
    advance: (ms) => Promise.resolve(emulator.clock.advance(ms)),
    now: () => emulator.clock.now(),
    close: () => emulator.close(),
  };
}

/** Opens a bucket of the emulator as one process would. */
async function openEmulatedBucket(emulator: Emulator, name: ColdClass): Promise<{ bucket: Bucket; store: ColdStore }> {
  const place = { bucket: "cold", prefix: "backup/", endpoint: emulator.endpoint, region: emulator.region };
  const { now, ...time } = timeOf(emulator);
  const { accessKeyId, secretAccessKey } = emulator;
  const credentials = () => Promise.resolve({ accessKeyId, secretAccessKey });
  const bucket = await openBucket(place, { clock: time, random: time.random, credentials });
  return { bucket, store: new S3Cold(bucket, { class: name, now }) };
}

/** An emulator with one bucket; all objects get this class. */
export async function bucketWorld(name: ColdClass): Promise<World & { emulator: Emulator }> {
  const emulator = await startEmulator({ startAt });
  emulator.createBucket("cold");
  const open = new Set<Bucket>();
  return {
    ...{ emulator, isVault: false, class: name },
    open: async () => {
      const { bucket, store } = await openEmulatedBucket(emulator, name);
      open.add(bucket);
      const close = store.close.bind(store);
      store.close = () => {
        open.delete(bucket);
        return close();
      };
      return store;
    },
    // The SDK learns from refusals what time it is there, but not from those of HEAD, which say nothing.
    advance: async (ms) => {
      emulator.clock.advance(ms);
      await Promise.all([...open].map((bucket) => bucket.now()));
    },
    now: () => emulator.clock.now(),
    close: () => emulator.close(),
  };
}

/** A place in memory. */
export function memoryWorld(name: ColdClass): Promise<World> {
  const place = new ColdPlaceInMemory({ class: name, startAt });
  return Promise.resolve({
    ...{ isVault: place.isVault, class: name },
    open: () => Promise.resolve(openMemoryCold(place)),
    advance: (ms) => Promise.resolve(place.advance(ms)),
    now: () => place.now(),
    close: () => Promise.resolve(),
  });
}

/** An object on its way, made of a seed; `reads` counts the bytes that were asked for. */
export function upload(seed: number, bytes: number): ColdUpload & { content: Uint8Array<ArrayBuffer>; reads: number } {
  const content = bytesOf(seed, bytes);
  const { sha256, treeHash } = hashes(content);
  const object = {
    name: `bricks/${sha256.slice(0, 2)}/${sha256}`,
    repository: "ab".repeat(32),
    ...{ bytes, sha256, treeHash, content, reads: 0 },
    read: ({ from, length }: { from: number; length: number }) => {
      object.reads += length;
      return Promise.resolve(content.slice(from, from + length));
    },
  };
  return object;
}

/** Both hashes of bytes, hex. */
export function hashes(bytes: Uint8Array): { sha256: string; treeHash: string } {
  const tree = new TreeHasher();
  tree.update(bytes);
  return { sha256: createHash("sha256").update(bytes).digest("hex"), treeHash: tree.digest().toHex() };
}

/** Bytes that look random and are the same for the same seed. */
function bytesOf(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = (seed + 1) * 0x9e3779b9 | 0;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length).slice();
}
