// Chunk ids: keyed BLAKE3-256 of the raw chunk, by the WebAssembly kernel, which hashes four KiB at a time with SIMD128. Where
// an engine has no SIMD, hash-wasm computes the same ids at about half the speed.
//
// Two forms. An IdHasher takes bytes of the heap and copies them into a memory of its own. A SharedIdHasher reads them where
// they are, in a memory that several threads share; whoever made that memory says what is where, and gives each thread its
// own scratch region.

import { kernelRuns, startKernel } from "../../kernel/wasm.ts";

/** Bytes of an id. */
export const ID_BYTES = 32;
/** Bytes of an id key. */
export const ID_KEY_BYTES = 32;

/** Computes ids of bytes in the heap, one after the other. */
export interface IdHasher {
  /** The id of `bytes`, in a new array. */
  id(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
  /** The ids of parts of `bytes` that follow one another, one after the other in a new array. */
  ids(bytes: Uint8Array, lengths: readonly number[]): Uint8Array<ArrayBuffer>;
}

/** Computes ids of bytes where they are in a shared memory. Offsets are bytes from the memory's beginning. */
export interface SharedIdHasher {
  /** Writes the id of the `length` bytes at `offset` to `out`. */
  id(offset: number, length: number, out: number): void;
  /** `table` is `count` x (u32 offset, u32 length), little-endian. Writes the ids to `out`, one after the other. */
  ids(table: number, count: number, out: number): void;
}

/** What a SharedIdHasher may use of the memory. */
export interface SharedIdOptions {
  /** 32 bytes; copied into the scratch region. */
  key: Uint8Array;
  /** Offset of `idScratchBytes(longest)` bytes that nobody else touches. */
  scratch: number;
  /** The longest input there will be. */
  longest: number;
  /** Compute with hash-wasm instead of the kernel; the default where the engine lacks SIMD. */
  portable?: boolean;
}

interface KernelExports {
  blake3Keyed(key: number, input: number, length: number, out: number, scratch: number): void;
  blake3KeyedBatch(key: number, table: number, count: number, out: number, scratch: number): void;
}

/** Bytes of the scratch region for inputs of at most `longest` bytes: the key, four blocks, and a node of the tree for each KiB. */
export function idScratchBytes(longest: number): number {
  return ID_KEY_BYTES + 4 * 64 + 32 * Math.ceil(longest / 1024);
}

/** An IdHasher with this key of 32 bytes. `portable` computes with hash-wasm; the default where the engine lacks SIMD. */
export async function createIdHasher(key: Uint8Array, options: { portable?: boolean } = {}): Promise<IdHasher> {
  checkKey(key);
  if (options.portable ?? !kernelRuns()) return portable(await portableHash(key));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  const kernel = startKernel<KernelExports>(memory);
  const out = ID_KEY_BYTES;
  let view = new Uint8Array(memory.buffer);
  view.set(key);
  return {
    id(bytes) {
      const { input, scratch } = take(bytes, out + ID_BYTES, bytes.length);
      kernel.blake3Keyed(0, input, bytes.length, out, scratch);
      return Uint8Array.from(view.subarray(out, out + ID_BYTES));
    },
    ids(bytes, lengths) {
      checkParts(bytes, lengths);
      const table = out + lengths.length * ID_BYTES;
      const { input, scratch } = take(bytes, table + lengths.length * 8, lengths.reduce((a, b) => Math.max(a, b), 0));
      writePairs(new DataView(view.buffer, table, lengths.length * 8), lengths, input);
      kernel.blake3KeyedBatch(0, table, lengths.length, out, scratch);
      return Uint8Array.from(view.subarray(out, table));
    },
  };

  /** Copies bytes in, behind `from`; the scratch region stands behind them. */
  function take(bytes: Uint8Array, from: number, longest: number): { input: number; scratch: number } {
    // Bytes get into shared memory fast only where both places are aligned alike. The scratch region is full of vectors.
    const input = from + bytes.byteOffset % 8;
    const scratch = Math.ceil((input + bytes.length) / 64) * 64;
    const needed = scratch + idScratchBytes(longest);
    if (needed > view.length) {
      memory.grow(Math.ceil((needed - view.length) / 65536));
      view = new Uint8Array(memory.buffer);
    }
    view.set(bytes, input);
    return { input, scratch };
  }
}

function portable(id: IdHasher["id"]): IdHasher {
  return {
    id,
    ids(bytes, lengths) {
      checkParts(bytes, lengths);
      const ids = new Uint8Array(lengths.length * ID_BYTES);
      let from = 0;
      lengths.forEach((length, i) => {
        ids.set(id(bytes.subarray(from, from + length)), i * ID_BYTES);
        from += length;
      });
      return ids;
    },
  };
}

function checkParts(bytes: Uint8Array, lengths: readonly number[]): void {
  const sum = lengths.reduce((sum, length) => sum + length, 0);
  if (sum > bytes.length) throw new RangeError(`Cannot compute ids of ${sum} bytes: there are ${bytes.length}`);
}

/** u32 offset | u32 length, for parts that follow one another. */
function writePairs(table: DataView, lengths: readonly number[], from: number): void {
  let offset = from;
  lengths.forEach((length, i) => {
    table.setUint32(8 * i, offset, true);
    table.setUint32(8 * i + 4, length, true);
    offset += length;
  });
}

/** A SharedIdHasher over `memory`, for one thread. */
export async function createSharedIdHasher(
  memory: WebAssembly.Memory,
  options: SharedIdOptions,
): Promise<SharedIdHasher> {
  const { key, scratch, longest } = options;
  checkKey(key);
  if (!(memory.buffer instanceof SharedArrayBuffer)) {
    throw new TypeError("Cannot compute ids in place: the memory must be made with { shared: true }");
  }
  if (scratch < 0 || scratch + idScratchBytes(longest) > memory.buffer.byteLength) {
    throw new RangeError(
      `Cannot compute ids of up to ${longest} bytes: the memory of ${memory.buffer.byteLength} bytes has no ` +
        `${idScratchBytes(longest)} bytes of scratch at ${scratch}`,
    );
  }
  const hasher = options.portable ?? !kernelRuns()
    ? portableInPlace(memory, await portableHash(key))
    : kernelInPlace(memory, options);
  const check = (length: number) => {
    if (length > longest) {
      throw new RangeError(`Cannot compute the id of ${length} bytes: at most ${longest} were announced`);
    }
  };
  return {
    id(offset, length, out) {
      check(length);
      hasher.id(offset, length, out);
    },
    ids(table, count, out) {
      for (const { length } of pairs(memory, table, count)) check(length);
      hasher.ids(table, count, out);
    },
  };
}

function kernelInPlace(memory: WebAssembly.Memory, { key, scratch }: SharedIdOptions): SharedIdHasher {
  const kernel = startKernel<KernelExports>(memory);
  new Uint8Array(memory.buffer).set(key, scratch);
  const work = scratch + ID_KEY_BYTES;
  return {
    id: (offset, length, out) => kernel.blake3Keyed(scratch, offset, length, out, work),
    ids: (table, count, out) => kernel.blake3KeyedBatch(scratch, table, count, out, work),
  };
}

function portableInPlace(memory: WebAssembly.Memory, hash: IdHasher["id"]): SharedIdHasher {
  const id = (offset: number, length: number, out: number) => {
    new Uint8Array(memory.buffer).set(hash(new Uint8Array(memory.buffer, offset, length)), out);
  };
  return {
    id,
    ids(table, count, out) {
      let place = out;
      for (const { offset, length } of pairs(memory, table, count)) {
        id(offset, length, place);
        place += ID_BYTES;
      }
    },
  };
}

function* pairs(
  memory: WebAssembly.Memory,
  table: number,
  count: number,
): Generator<{ offset: number; length: number }> {
  const view = new DataView(memory.buffer, table, 8 * count);
  for (let at = 0; at < 8 * count; at += 8) {
    yield { offset: view.getUint32(at, true), length: view.getUint32(at + 4, true) };
  }
}

async function portableHash(key: Uint8Array): Promise<IdHasher["id"]> {
  // Loaded here only: nearly no machine needs it.
  const { createBLAKE3 } = await import("hash-wasm");
  const blake3 = await createBLAKE3(8 * ID_BYTES, key);
  return (bytes) => new Uint8Array(blake3.init().update(bytes).digest("binary"));
}

function checkKey(key: Uint8Array): void {
  if (key.length !== ID_KEY_BYTES) {
    throw new RangeError(`Cannot compute ids with a key of ${key.length} bytes: it has ${ID_KEY_BYTES}`);
  }
}
