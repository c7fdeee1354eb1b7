// BLAKE3's compression function, keyed (https://github.com/BLAKE3-team/BLAKE3-specs, section 2.2), written once for two
// kinds of words T. With u32 it hashes one node of the tree. With v128 every word is four words, one for each of four
// neighbouring nodes, and the same text hashes four: that is nearly all of the work, and what makes BLAKE3 fast.
//
// The rounds are a loop that permutes the message at its end. Written out seven times with fixed indices they are a tenth
// faster, three times as large, and nobody could check them.

export const PARENT: u32 = 4;
export const ROOT: u32 = 8;
const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const KEYED_HASH: u32 = 16;

export const BLOCK_BYTES: usize = 64;
export const CHUNK_BYTES: usize = 1024;
export const CV_BYTES: usize = 32;

@inline
function splat<T>(word: u32): T {
  if (isVector<T>()) return i32x4.splat(word);
  else return word;
}

/** 0, 1, 2, 3: the node's place among its neighbours. */
@inline
function place<T>(): T {
  if (isVector<T>()) return i32x4(0, 1, 2, 3);
  else return 0;
}

/** Word i of each node; the nodes are `stride` bytes apart. */
@inline
function read<T>(p: usize, i: usize, stride: usize): T {
  const at = p + 4 * i;
  if (isVector<T>()) {
    let words = v128.load_zero<u32>(at);
    words = v128.load_lane<u32>(at + stride, words, 1);
    words = v128.load_lane<u32>(at + 2 * stride, words, 2);
    return v128.load_lane<u32>(at + 3 * stride, words, 3);
  } else return load<u32>(at);
}

/** Word i of each node's chaining value. */
@inline
function write<T>(p: usize, i: usize, words: T): void {
  const at = p + 4 * i;
  if (isVector<T>()) {
    v128.store_lane<u32>(at, words, 0);
    v128.store_lane<u32>(at + CV_BYTES, words, 1);
    v128.store_lane<u32>(at + 2 * CV_BYTES, words, 2);
    v128.store_lane<u32>(at + 3 * CV_BYTES, words, 3);
  } else store<u32>(at, words);
}

@inline
function add<T>(a: T, b: T): T {
  if (isVector<T>()) return i32x4.add(a, b);
  else return a + b;
}

/** a + b + m. `b` comes last, since it is the one that was computed last. */
@inline
function mix<T>(a: T, b: T, m: T): T {
  return add<T>(add<T>(a, m), b);
}

@inline
function xor<T>(a: T, b: T): T {
  if (isVector<T>()) return v128.xor(a, b);
  else return a ^ b;
}

/** (a ^ b) rotated right by 16; whole bytes are one shuffle. */
@inline
function rot16<T>(a: T, b: T): T {
  const x = xor<T>(a, b);
  if (isVector<T>()) return v128.shuffle<i8>(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  else return rotr<u32>(x, 16);
}

@inline
function rot12<T>(a: T, b: T): T {
  const x = xor<T>(a, b);
  if (isVector<T>()) return v128.or(i32x4.shr_u(x, 12), i32x4.shl(x, 20));
  else return rotr<u32>(x, 12);
}

@inline
function rot8<T>(a: T, b: T): T {
  const x = xor<T>(a, b);
  if (isVector<T>()) return v128.shuffle<i8>(x, x, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
  else return rotr<u32>(x, 8);
}

@inline
function rot7<T>(a: T, b: T): T {
  const x = xor<T>(a, b);
  if (isVector<T>()) return v128.or(i32x4.shr_u(x, 7), i32x4.shl(x, 25));
  else return rotr<u32>(x, 7);
}

/**
 * Writes the chaining value of one node (u32) or of four neighbours (v128), 32 bytes each, to `out`, which may be where the
 * input is. `kind` PARENT: `length` is 64. `kind` 0, a chunk: `counter` is its number and `length` at most 1,024; of four
 * chunks each is whole. With `root` = ROOT the value is the hash. `padded`: 64 bytes for a block that is not full.
 */
export function compress<T>(
  kind: u32,
  key: usize,
  input: usize,
  length: usize,
  counter: usize,
  root: u32,
  out: usize,
  padded: usize,
): void {
  const stride = kind == PARENT ? BLOCK_BYTES : CHUNK_BYTES;
  const counters = kind == PARENT ? splat<T>(0) : add<T>(splat<T>(<u32> counter), place<T>());
  const last = kind == PARENT ? root : CHUNK_END | root;
  let first = kind == PARENT ? 0 : CHUNK_START;
  let h0 = splat<T>(load<u32>(key, 0)), h1 = splat<T>(load<u32>(key, 4));
  let h2 = splat<T>(load<u32>(key, 8)), h3 = splat<T>(load<u32>(key, 12));
  let h4 = splat<T>(load<u32>(key, 16)), h5 = splat<T>(load<u32>(key, 20));
  let h6 = splat<T>(load<u32>(key, 24)), h7 = splat<T>(load<u32>(key, 28));

  let p = input;
  let rest = length;
  do {
    const here = min(rest, BLOCK_BYTES);
    if (here < BLOCK_BYTES) {
      memory.fill(padded, 0, BLOCK_BYTES);
      memory.copy(padded, p, here);
      p = padded;
    }
    rest -= here;
    let m0 = read<T>(p, 0, stride), m1 = read<T>(p, 1, stride), m2 = read<T>(p, 2, stride), m3 = read<T>(p, 3, stride);
    let m4 = read<T>(p, 4, stride), m5 = read<T>(p, 5, stride), m6 = read<T>(p, 6, stride), m7 = read<T>(p, 7, stride);
    let m8 = read<T>(p, 8, stride), m9 = read<T>(p, 9, stride), m10 = read<T>(p, 10, stride), m11 = read<T>(p, 11, stride);
    let m12 = read<T>(p, 12, stride), m13 = read<T>(p, 13, stride), m14 = read<T>(p, 14, stride), m15 = read<T>(p, 15, stride);
    let v0 = h0, v1 = h1, v2 = h2, v3 = h3, v4 = h4, v5 = h5, v6 = h6, v7 = h7;
    let v8 = splat<T>(0x6a09e667), v9 = splat<T>(0xbb67ae85), v10 = splat<T>(0x3c6ef372), v11 = splat<T>(0xa54ff53a);
    let v12 = counters, v13 = splat<T>(0), v14 = splat<T>(<u32> here), v15 = splat<T>(KEYED_HASH | kind | first | (rest ? 0 : last));
    first = 0;

    for (let round = 0;; round++) {
      // the columns
      v0 = mix<T>(v0, v4, m0), v1 = mix<T>(v1, v5, m2), v2 = mix<T>(v2, v6, m4), v3 = mix<T>(v3, v7, m6);
      v12 = rot16<T>(v12, v0), v13 = rot16<T>(v13, v1), v14 = rot16<T>(v14, v2), v15 = rot16<T>(v15, v3);
      v8 = add<T>(v8, v12), v9 = add<T>(v9, v13), v10 = add<T>(v10, v14), v11 = add<T>(v11, v15);
      v4 = rot12<T>(v4, v8), v5 = rot12<T>(v5, v9), v6 = rot12<T>(v6, v10), v7 = rot12<T>(v7, v11);
      v0 = mix<T>(v0, v4, m1), v1 = mix<T>(v1, v5, m3), v2 = mix<T>(v2, v6, m5), v3 = mix<T>(v3, v7, m7);
      v12 = rot8<T>(v12, v0), v13 = rot8<T>(v13, v1), v14 = rot8<T>(v14, v2), v15 = rot8<T>(v15, v3);
      v8 = add<T>(v8, v12), v9 = add<T>(v9, v13), v10 = add<T>(v10, v14), v11 = add<T>(v11, v15);
      v4 = rot7<T>(v4, v8), v5 = rot7<T>(v5, v9), v6 = rot7<T>(v6, v10), v7 = rot7<T>(v7, v11);
      // the diagonals
      v0 = mix<T>(v0, v5, m8), v1 = mix<T>(v1, v6, m10), v2 = mix<T>(v2, v7, m12), v3 = mix<T>(v3, v4, m14);
      v15 = rot16<T>(v15, v0), v12 = rot16<T>(v12, v1), v13 = rot16<T>(v13, v2), v14 = rot16<T>(v14, v3);
      v10 = add<T>(v10, v15), v11 = add<T>(v11, v12), v8 = add<T>(v8, v13), v9 = add<T>(v9, v14);
      v5 = rot12<T>(v5, v10), v6 = rot12<T>(v6, v11), v7 = rot12<T>(v7, v8), v4 = rot12<T>(v4, v9);
      v0 = mix<T>(v0, v5, m9), v1 = mix<T>(v1, v6, m11), v2 = mix<T>(v2, v7, m13), v3 = mix<T>(v3, v4, m15);
      v15 = rot8<T>(v15, v0), v12 = rot8<T>(v12, v1), v13 = rot8<T>(v13, v2), v14 = rot8<T>(v14, v3);
      v10 = add<T>(v10, v15), v11 = add<T>(v11, v12), v8 = add<T>(v8, v13), v9 = add<T>(v9, v14);
      v5 = rot7<T>(v5, v10), v6 = rot7<T>(v6, v11), v7 = rot7<T>(v7, v8), v4 = rot7<T>(v4, v9);
      if (round == 6) break;
      // new m[i] = old m[2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8][i], written as its two cycles
      const m0before = m0, m1before = m1;
      m0 = m2, m2 = m3, m3 = m10, m10 = m12, m12 = m9, m9 = m11, m11 = m5, m5 = m0before;
      m1 = m6, m6 = m4, m4 = m7, m7 = m13, m13 = m14, m14 = m15, m15 = m8, m8 = m1before;
    }
    h0 = xor<T>(v0, v8), h1 = xor<T>(v1, v9), h2 = xor<T>(v2, v10), h3 = xor<T>(v3, v11);
    h4 = xor<T>(v4, v12), h5 = xor<T>(v5, v13), h6 = xor<T>(v6, v14), h7 = xor<T>(v7, v15);
    p += BLOCK_BYTES;
  } while (rest);
  write<T>(out, 0, h0), write<T>(out, 1, h1), write<T>(out, 2, h2), write<T>(out, 3, h3);
  write<T>(out, 4, h4), write<T>(out, 5, h5), write<T>(out, 6, h6), write<T>(out, 7, h7);
}
