/**
 * scrypt (RFC 7914) with p = 1, beside this thread. A thread of its own does the work and ends, since that is the one way to
 * give a WebAssembly memory back at once: 64 MiB, with the cost that age uses. node:crypto takes half as long again and
 * twice the memory; it serves where the engine has no SIMD, and where the cost is small.
 */
import { pbkdf2Sync, scrypt as nodeScrypt } from "node:crypto";
import { kernelRuns } from "../../kernel/wasm.ts";
import { roMixMemoryBytes } from "./ro_mix.ts";

const KEY_BYTES = 32;
/** Below, node:crypto is done before a thread has started. */
const LEAST_N = 2 ** 15;
/** The most that a WebAssembly memory can have. */
const MOST_MEMORY_BYTES = 2 ** 32;

export interface ScryptOptions {
  salt: Uint8Array;
  /** The cost, a power of two. Whoever calls has checked that it wants to pay it. */
  N: number;
  /** A block has 128 r bytes. */
  r: number;
  /** Compute with node:crypto instead of the kernel; the default where the engine lacks SIMD or the cost is small. */
  portable?: boolean;
}

/** What the thread is told. */
export interface RoMixTask {
  block: Uint8Array;
  n: number;
}

/** What it answers: the result, or why there is none. */
export type RoMixReply = { mixed: Uint8Array } | { error: string };

/** A key of 32 bytes. The work has begun when this function returns. */
export async function scrypt(passphrase: string, options: ScryptOptions): Promise<Uint8Array> {
  const { salt, N, r } = options;
  const size = 128 * r;
  const suits = N >= LEAST_N && roMixMemoryBytes(size, N) <= MOST_MEMORY_BYTES;
  if (options.portable ?? !(suits && kernelRuns())) return await portableScrypt(passphrase, options);
  // A copy, because a Buffer would take the pool that it is part of along to the other thread.
  const block = Uint8Array.from(pbkdf2Sync(passphrase, salt, 1, size, "sha256"));
  const mixed = await mixInThread({ block, n: N });
  return pbkdf2Sync(passphrase, mixed, 1, KEY_BYTES, "sha256");
}

function mixInThread(task: RoMixTask): Promise<Uint8Array> {
  const worker = new Worker(new URL("./scrypt_worker.ts", import.meta.url), { type: "module" });
  return new Promise<Uint8Array>((resolve, reject) => {
    const mebibytes = Math.ceil(roMixMemoryBytes(task.block.length, task.n) / 2 ** 20);
    const fail = (why: string) => {
      const advice =
        `It takes ${mebibytes} MiB of memory: free some, or use a key that needs no passphrase (--identity)`;
      reject(new Error(`Cannot derive a key from the passphrase: ${why}. ${advice}`));
    };
    worker.onmessage = ({ data }: MessageEvent<RoMixReply>) => "mixed" in data ? resolve(data.mixed) : fail(data.error);
    worker.onerror = (event) => {
      event.preventDefault();
      fail(event.message);
    };
    worker.postMessage(task);
  }).finally(() => worker.terminate());
}

function portableScrypt(passphrase: string, { salt, N, r }: ScryptOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    nodeScrypt(passphrase, salt, KEY_BYTES, { N, r, p: 1, maxmem: 256 * N * r }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
