// BLAKE3's compression function, keyed, of four neighbouring nodes at once: word i of a v128 belongs to node i. Nearly all of
// the work is done here, so the text follows from what V8 makes of it (2026, x86-64), measured:
//
// - The seven rounds are written out and the message's sixteen words stay in memory, each round asking for them in its own
//   order: as local variables they do not fit the registers together with the state, and permuting them moves all of them
//   in every round. An eighth faster than a loop.
// - To rotate by 8 is two shifts: the byte shuffle that other implementations use has V8 build its mask anew each time. By 16
//   it is a shuffle of halves, which needs no mask. Another eighth.
//
// Round r + 1 takes the words in the order of round r permuted by 2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8.

import { BLOCK_BYTES, CHUNK_BYTES, CHUNK_END, CHUNK_START, CV_BYTES, KEYED_HASH, PARENT } from "./blake3_compress";

/** Room for the words of a block of four nodes. */
export const WORDS_BYTES: usize = 4 * BLOCK_BYTES;

/** a + b + word i. `b` comes last, since it is the one that was computed last. */
@inline
function mix(a: v128, b: v128, words: usize, i: usize): v128 {
  return i32x4.add(i32x4.add(a, v128.load(words + 16 * i)), b);
}

/** (a ^ b) rotated right by 16. */
@inline
function rot16(a: v128, b: v128): v128 {
  const x = v128.xor(a, b);
  return v128.shuffle<i16>(x, x, 1, 0, 3, 2, 5, 4, 7, 6);
}

@inline
function rot12(a: v128, b: v128): v128 {
  const x = v128.xor(a, b);
  return v128.or(i32x4.shr_u(x, 12), i32x4.shl(x, 20));
}

@inline
function rot8(a: v128, b: v128): v128 {
  const x = v128.xor(a, b);
  return v128.or(i32x4.shr_u(x, 8), i32x4.shl(x, 24));
}

@inline
function rot7(a: v128, b: v128): v128 {
  const x = v128.xor(a, b);
  return v128.or(i32x4.shr_u(x, 7), i32x4.shl(x, 25));
}

/** Four vectors of four words as a square, turned over and stored `stride` bytes apart. */
@inline
function storeTurned(a: v128, b: v128, c: v128, d: v128, out: usize, stride: usize): void {
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5), abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5), cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<i64>(ab, cd, 0, 2));
  v128.store(out + stride, v128.shuffle<i64>(ab, cd, 1, 3));
  v128.store(out + 2 * stride, v128.shuffle<i64>(abHigh, cdHigh, 0, 2));
  v128.store(out + 3 * stride, v128.shuffle<i64>(abHigh, cdHigh, 1, 3));
}

/** Four words of each node's block, of nodes `stride` bytes apart, word by word to `words`. */
@inline
function gather(p: usize, stride: usize, words: usize): void {
  storeTurned(v128.load(p), v128.load(p + stride), v128.load(p + 2 * stride), v128.load(p + 3 * stride), words, 16);
}

/**
 * Writes the chaining values of four neighbours, 32 bytes each, to `out`, which may be where the input is. `kind` PARENT:
 * four pairs of chaining values. `kind` 0: four whole chunks, `counter` is the number of the first. `w`: WORDS_BYTES of room.
 */
export function compressFour(kind: u32, key: usize, input: usize, counter: usize, out: usize, w: usize): void {
  const isParent = kind == PARENT;
  const stride = isParent ? BLOCK_BYTES : CHUNK_BYTES;
  const counters = isParent ? i32x4.splat(0) : i32x4.add(i32x4.splat(<u32> counter), i32x4(0, 1, 2, 3));
  let flags = KEYED_HASH | (isParent ? PARENT : CHUNK_START);
  let h0 = i32x4.splat(load<u32>(key, 0)), h1 = i32x4.splat(load<u32>(key, 4));
  let h2 = i32x4.splat(load<u32>(key, 8)), h3 = i32x4.splat(load<u32>(key, 12));
  let h4 = i32x4.splat(load<u32>(key, 16)), h5 = i32x4.splat(load<u32>(key, 20));
  let h6 = i32x4.splat(load<u32>(key, 24)), h7 = i32x4.splat(load<u32>(key, 28));

  let p = input;
  let rest = stride;
  do {
    rest -= BLOCK_BYTES;
    if (!isParent && !rest) flags |= CHUNK_END;
    gather(p, stride, w), gather(p + 16, stride, w + 64), gather(p + 32, stride, w + 128), gather(p + 48, stride, w + 192);
    p += BLOCK_BYTES;
    let v0 = h0, v1 = h1, v2 = h2, v3 = h3, v4 = h4, v5 = h5, v6 = h6, v7 = h7;
    let v8 = i32x4.splat(0x6a09e667), v9 = i32x4.splat(0xbb67ae85), v10 = i32x4.splat(0x3c6ef372), v11 = i32x4.splat(0xa54ff53a);
    let v12 = counters, v13 = i32x4.splat(0), v14 = i32x4.splat(<u32> BLOCK_BYTES), v15 = i32x4.splat(flags);
    flags &= ~CHUNK_START;

    // round 1: columns, diagonals
    v0 = mix(v0, v4, w, 0), v1 = mix(v1, v5, w, 2), v2 = mix(v2, v6, w, 4), v3 = mix(v3, v7, w, 6);
    v12 = rot16(v12, v0), v13 = rot16(v13, v1), v14 = rot16(v14, v2), v15 = rot16(v15, v3);
    v8 = i32x4.add(v8, v12), v9 = i32x4.add(v9, v13), v10 = i32x4.add(v10, v14), v11 = i32x4.add(v11, v15);
    v4 = rot12(v4, v8), v5 = rot12(v5, v9), v6 = rot12(v6, v10), v7 = rot12(v7, v11);
    v0 = mix(v0, v4, w, 1), v1 = mix(v1, v5, w, 3), v2 = mix(v2, v6, w, 5), v3 = mix(v3, v7, w, 7);
    v12 = rot8(v12, v0), v13 = rot8(v13, v1), v14 = rot8(v14, v2), v15 = rot8(v15, v3);
    v8 = i32x4.add(v8, v12), v9 = i32x4.add(v9, v13), v10 = i32x4.add(v10, v14), v11 = i32x4.add(v11, v15);
    v4 = rot7(v4, v8), v5 = rot7(v5, v9), v6 = rot7(v6, v10), v7 = rot7(v7, v11);
    v0 = mix(v0, v5, w, 8), v1 = mix(v1, v6, w, 10), v2 = mix(v2, v7, w, 12), v3 = mix(v3, v4, w, 14);
    v15 = rot16(v15, v0), v12 = rot16(v12, v1), v13 = rot16(v13, v2), v14 = rot16(v14, v3);
    v10 = i32x4.add(v10, v15), v11 = i32x4.add(v11, v12), v8 = i32x4.add(v8, v13), v9 = i32x4.add(v9, v14);
    v5 = rot12(v5, v10), v6 = rot12(v6, v11), v7 = rot12(v7, v8), v4 = rot12(v4, v9);
    v0 = mix(v0, v5, w, 9), v1 = mix(v1, v6, w, 11), v2 = mix(v2, v7, w, 13), v3 = mix(v3, v4, w, 15);
    v15 = rot8(v15, v0), v12 = rot8(v12, v1), v13 = rot8(v13, v2), v14 = rot8(v14, v3);
    v10 = i32x4.add(v10, v15), v11 = i32x4.add(v11, v12), v8 = i32x4.add(v8, v13), v9 = i32x4.add(v9, v14);
    v5 = rot7(v5, v10), v6 = rot7(v6, v11), v7 = rot7(v7, v8), v4 = rot7(v4, v9);
    // round 2: columns, diagonals
    v0 = mix(v0, v4, w, 2), v1 = mix(v1, v5, w, 3), v2 = mix(v2, v6, w, 7), v3 = mix(v3, v7, w, 4);
    v12 = rot16(v12, v0), v13 = rot16(v13, v1), v14 = rot16(v14, v2), v15 = rot16(v15, v3);
    v8 = i32x4.add(v8, v12), v9 = i32x4.add(v9, v13), v10 = i32x4.add(v10, v14), v11 = i32x4.add(v11, v15);
    v4 = rot12(v4, v8), v5 = rot12(v5, v9), v6 = rot12(v6, v10), v7 = rot12(v7, v11);
    v0 = mix(v0, v4, w, 6), v1 = mix(v1, v5, w, 10), v2 = mix(v2, v6, w, 0), v3 = mix(v3, v7, w, 13);
    v12 = rot8(v12, v0), v13 = rot8(v13, v1), v14 = rot8(v14, v2), v15 = rot8(v15, v3);
    v8 = i32x4.add(v8, v12), v9 = i32x4.add(v9, v13), v10 = i32x4.add(v10, v14), v11 = i32x4.add(v11, v15);
    v4 = rot7(v4, v8), v5 = rot7(v5, v9), v6 = rot7(v6, v10), v7 = rot7(v7, v11);
    v0 = mix(v0, v5, w, 1), v1 = mix(v1, v6, w, 12), v2 = mix(v2, v7, w, 9), v3 = mix(v3, v4, w, 15);
    v15 = rot16(v15, v0), v12 = rot16(v12, v1), v13 = rot16(v13, v2), v14 = rot16(v14, v3);
    v10 = i32x4.add(v10, v15), v11 = i32x4.add(v11, v12), v8 = i32x4.add(v8, v13), v9 = i32x4.add(v9, v14);
    v5 = rot12(v5, v10), v6 = rot12(v6, v11), v7 = rot12(v7, v8), v4 = rot12(v4, v9);
    v0 = mix(v0, v5, w, 11), v1 = mix(v1, v6, w, 5), v2 = mix(v2, v7, w, 14), v3 = mix(v3, v4, w, 8);
    v15 = rot8(v15, v0), v12 = rot8(v12, v1), v13 = rot8(v13, v2), v14 = rot8(v14, v3);
    v10 = i32x4.add(v10, v15), v11 = i32x4.add(v11, v12), v8 = i32x4.add(v8, v13), v9 = i32x4.add(v9, v14);
    v5 = rot7(v5, v10), v6 = rot7(v6, v11), v7 = rot7(v7, v8), v4 = rot7(v4, v9);
    // round 3: columns, diagonals
    v0 = mix(v0, v4, w, 3), v1 = mix(v1, v5, w, 10), v2 = mix(v2, v6, w, 13), v3 = mix(v3, v7, w, 7);
    v12 = rot16(v12, v0), v13 = rot16(v13, v1), v14 = rot16(v14, v2), v15 = rot16(v15, v3);
    v8 = i32x4.add(v8, v12), v9 = i32x4.add(v9, v13), v10 = i32x4.add(v10, v14), v11 = i32x4.add(v11, v15);
    v4 = rot12(v4, v8), v5 = rot12(v5, v9), v6 = rot12(v6, v10), v7 = rot12(v7, v11);
    v0 = mix(v0, v4, w, 4), v1 = mix(v1, v5, w, 12), v2 = mix(v2, v6, w, 2), v3 = mix(v3, v7, w, 14);
    v12 = rot8(v12, v0), v13 = rot8(v13, v1), v14 = rot8(v14, v2), v15 = rot8(v15, v3);
    v8 = i32x4.add(v8, v12), v9 = i32x4.add(v9, v13), v10 = i32x4.add(v10, v14), v11 = i32x4.add(v11, v15);
    v4 = rot7(v4, v8), v5 = rot7(v5, v9), v6 = rot7(v6, v10), v7 = rot7(v7, v11);
    v0 = mix(v0, v5, w, 6), v1 = mix(v1, v6, w, 9), v2 = mix(v2, v7, w, 11), v3 = mix(v3, v4, w, 8);
    v15 = rot16(v15, v0), v12 = rot16(v12, v1), v13 = rot16(v13, v2), v14 = rot16(v14, v3);
    v10 = i32x4.add(v10, v15), v11 = i32x4.add(v11, v12), v8 = i32x4.add(v8, v13), v9 = i32x4.add(v9, v14);
    v5 = rot12(v5, v10), v6 = rot12(v6, v11), v7 = rot12(v7, v8), v4 = rot12(v4, v9);
    v0 = mix(v0, v5, w, 5), v1 = mix(v1, v6, w, 0), v2 = mix(v2, v7, w, 15), v3 = mix(v3, v4, w, 1);
    v15 = rot8(v15, v0), v12 = rot8(v12, v1), v13 = rot8(v13, v2), v14 = rot8(v14, v3);
    v10 = i32x4.add(v10, v15), v11 = i32x4.add(v11, v12), v8 = i32x4.add(v8, v13), v9 = i32x4.add(v9, v14);
    v5 = rot7(v5, v10), v6 = rot7(v6, v11), v7 = rot7(v7, v8), v4 = rot7(v4, v9);
    // round 4: columns, diagonals
    v0 = mix(v0, v4, w, 10), v1 = mix(v1, v5, w, 12), v2 = mix(v2, v6, w, 14), v3 = mix(v3, v7, w, 13);
    v12 = rot16(v12, v0), v13 = rot16(v13, v1), v14 = rot16(v14, v2), v15 = rot16(v15, v3);
    v8 = i32x4.add(v8, v12), v9 = i32x4.add(v9, v13), v10 = i32x4.add(v10, v14), v11 = i32x4.add(v11, v15);
    v4 = rot12(v4, v8), v5 = rot12(v5, v9), v6 = rot12(v6, v10), v7 = rot12(v7, v11);
    v0 = mix(v0, v4, w, 7), v1 = mix(v1, v5, w, 9), v2 = mix(v2, v6, w, 3), v3 = mix(v3, v7, w, 15);
    v12 = rot8(v12, v0), v13 = rot8(v13, v1), v14 = rot8(v14, v2), v15 = rot8(v15, v3);
    v8 = i32x4.add(v8, v12), v9 = i32x4.add(v9, v13), v10 = i32x4.add(v10, v14), v11 = i32x4.add(v11, v15);
    v4 = rot7(v4, v8), v5 = rot7(v5, v9), v6 = rot7(v6, v10), v7 = rot7(v7, v11);
    v0 = mix(v0, v5, w, 4), v1 = mix(v1, v6, w, 11), v2 = mix(v2, v7, w, 5), v3 = mix(v3, v4, w, 1);
    v15 = rot16(v15, v0), v12 = rot16(v12, v1), v13 = rot16(v13, v2), v14 = rot16(v14, v3);
    v10 = i32x4.add(v10, v15), v11 = i32x4.add(v11, v12), v8 = i32x4.add(v8, v13), v9 = i32x4.add(v9, v14);
    v5 = rot12(v5, v10), v6 = rot12(v6, v11), v7 = rot12(v7, v8), v4 = rot12(v4, v9);
    v0 = mix(v0, v5, w, 0), v1 = mix(v1, v6, w, 2), v2 = mix(v2, v7, w, 8), v3 = mix(v3, v4, w, 6);
    v15 = rot8(v15, v0), v12 = rot8(v12, v1), v13 = rot8(v13, v2), v14 = rot8(v14, v3);
    v10 = i32x4.add(v10, v15), v11 = i32x4.add(v11, v12), v8 = i32x4.add(v8, v13), v9 = i32x4.add(v9, v14);
    v5 = rot7(v5, v10), v6 = rot7(v6, v11), v7 = rot7(v7, v8), v4 = rot7(v4, v9);
    // round 5: columns, diagonals
    v0 = mix(v0, v4, w, 12), v1 = mix(v1, v5, w, 9), v2 = mix(v2, v6, w, 15), v3 = mix(v3, v7, w, 14);
    v12 = rot16(v12, v0), v13 = rot16(v13, v1), v14 = rot16(v14, v2), v15 = rot16(v15, v3);
    v8 = i32x4.add(v8, v12), v9 = i32x4.add(v9, v13), v10 = i32x4.add(v10, v14), v11 = i32x4.add(v11, v15);
    v4 = rot12(v4, v8), v5 = rot12(v5, v9), v6 = rot12(v6, v10), v7 = rot12(v7, v11);
    v0 = mix(v0, v4, w, 13), v1 = mix(v1, v5, w, 11), v2 = mix(v2, v6, w, 10), v3 = mix(v3, v7, w, 8);
    v12 = rot8(v12, v0), v13 = rot8(v13, v1), v14 = rot8(v14, v2), v15 = rot8(v15, v3);
    v8 = i32x4.add(v8, v12), v9 = i32x4.add(v9, v13), v10 = i32x4.add(v10, v14), v11 = i32x4.add(v11, v15);
    v4 = rot7(v4, v8), v5 = rot7(v5, v9), v6 = rot7(v6, v10), v7 = rot7(v7, v11);
    v0 = mix(v0, v5, w, 7), v1 = mix(v1, v6, w, 5), v2 = mix(v2, v7, w, 0), v3 = mix(v3, v4, w, 6);
    v15 = rot16(v15, v0), v12 = rot16(v12, v1), v13 = rot16(v13, v2), v14 = rot16(v14, v3);
    v10 = i32x4.add(v10, v15), v11 = i32x4.add(v11, v12), v8 = i32x4.add(v8, v13), v9 = i32x4.add(v9, v14);
    v5 = rot12(v5, v10), v6 = rot12(v6, v11), v7 = rot12(v7, v8), v4 = rot12(v4, v9);
    v0 = mix(v0, v5, w, 2), v1 = mix(v1, v6, w, 3), v2 = mix(v2, v7, w, 1), v3 = mix(v3, v4, w, 4);
    v15 = rot8(v15, v0), v12 = rot8(v12, v1), v13 = rot8(v13, v2), v14 = rot8(v14, v3);
    v10 = i32x4.add(v10, v15), v11 = i32x4.add(v11, v12), v8 = i32x4.add(v8, v13), v9 = i32x4.add(v9, v14);
    v5 = rot7(v5, v10), v6 = rot7(v6, v11), v7 = rot7(v7, v8), v4 = rot7(v4, v9);
    // round 6: columns, diagonals
    v0 = mix(v0, v4, w, 9), v1 = mix(v1, v5, w, 11), v2 = mix(v2, v6, w, 8), v3 = mix(v3, v7, w, 15);
    v12 = rot16(v12, v0), v13 = rot16(v13, v1), v14 = rot16(v14, v2), v15 = rot16(v15, v3);
    v8 = i32x4.add(v8, v12), v9 = i32x4.add(v9, v13), v10 = i32x4.add(v10, v14), v11 = i32x4.add(v11, v15);
    v4 = rot12(v4, v8), v5 = rot12(v5, v9), v6 = rot12(v6, v10), v7 = rot12(v7, v11);
    v0 = mix(v0, v4, w, 14), v1 = mix(v1, v5, w, 5), v2 = mix(v2, v6, w, 12), v3 = mix(v3, v7, w, 1);
    v12 = rot8(v12, v0), v13 = rot8(v13, v1), v14 = rot8(v14, v2), v15 = rot8(v15, v3);
    v8 = i32x4.add(v8, v12), v9 = i32x4.add(v9, v13), v10 = i32x4.add(v10, v14), v11 = i32x4.add(v11, v15);
    v4 = rot7(v4, v8), v5 = rot7(v5, v9), v6 = rot7(v6, v10), v7 = rot7(v7, v11);
    v0 = mix(v0, v5, w, 13), v1 = mix(v1, v6, w, 0), v2 = mix(v2, v7, w, 2), v3 = mix(v3, v4, w, 4);
    v15 = rot16(v15, v0), v12 = rot16(v12, v1), v13 = rot16(v13, v2), v14 = rot16(v14, v3);
    v10 = i32x4.add(v10, v15), v11 = i32x4.add(v11, v12), v8 = i32x4.add(v8, v13), v9 = i32x4.add(v9, v14);
    v5 = rot12(v5, v10), v6 = rot12(v6, v11), v7 = rot12(v7, v8), v4 = rot12(v4, v9);
    v0 = mix(v0, v5, w, 3), v1 = mix(v1, v6, w, 10), v2 = mix(v2, v7, w, 6), v3 = mix(v3, v4, w, 7);
    v15 = rot8(v15, v0), v12 = rot8(v12, v1), v13 = rot8(v13, v2), v14 = rot8(v14, v3);
    v10 = i32x4.add(v10, v15), v11 = i32x4.add(v11, v12), v8 = i32x4.add(v8, v13), v9 = i32x4.add(v9, v14);
    v5 = rot7(v5, v10), v6 = rot7(v6, v11), v7 = rot7(v7, v8), v4 = rot7(v4, v9);
    // round 7: columns, diagonals
    v0 = mix(v0, v4, w, 11), v1 = mix(v1, v5, w, 5), v2 = mix(v2, v6, w, 1), v3 = mix(v3, v7, w, 8);
    v12 = rot16(v12, v0), v13 = rot16(v13, v1), v14 = rot16(v14, v2), v15 = rot16(v15, v3);
    v8 = i32x4.add(v8, v12), v9 = i32x4.add(v9, v13), v10 = i32x4.add(v10, v14), v11 = i32x4.add(v11, v15);
    v4 = rot12(v4, v8), v5 = rot12(v5, v9), v6 = rot12(v6, v10), v7 = rot12(v7, v11);
    v0 = mix(v0, v4, w, 15), v1 = mix(v1, v5, w, 0), v2 = mix(v2, v6, w, 9), v3 = mix(v3, v7, w, 6);
    v12 = rot8(v12, v0), v13 = rot8(v13, v1), v14 = rot8(v14, v2), v15 = rot8(v15, v3);
    v8 = i32x4.add(v8, v12), v9 = i32x4.add(v9, v13), v10 = i32x4.add(v10, v14), v11 = i32x4.add(v11, v15);
    v4 = rot7(v4, v8), v5 = rot7(v5, v9), v6 = rot7(v6, v10), v7 = rot7(v7, v11);
    v0 = mix(v0, v5, w, 14), v1 = mix(v1, v6, w, 2), v2 = mix(v2, v7, w, 3), v3 = mix(v3, v4, w, 7);
    v15 = rot16(v15, v0), v12 = rot16(v12, v1), v13 = rot16(v13, v2), v14 = rot16(v14, v3);
    v10 = i32x4.add(v10, v15), v11 = i32x4.add(v11, v12), v8 = i32x4.add(v8, v13), v9 = i32x4.add(v9, v14);
    v5 = rot12(v5, v10), v6 = rot12(v6, v11), v7 = rot12(v7, v8), v4 = rot12(v4, v9);
    v0 = mix(v0, v5, w, 10), v1 = mix(v1, v6, w, 12), v2 = mix(v2, v7, w, 4), v3 = mix(v3, v4, w, 13);
    v15 = rot8(v15, v0), v12 = rot8(v12, v1), v13 = rot8(v13, v2), v14 = rot8(v14, v3);
    v10 = i32x4.add(v10, v15), v11 = i32x4.add(v11, v12), v8 = i32x4.add(v8, v13), v9 = i32x4.add(v9, v14);
    v5 = rot7(v5, v10), v6 = rot7(v6, v11), v7 = rot7(v7, v8), v4 = rot7(v4, v9);

    h0 = v128.xor(v0, v8), h1 = v128.xor(v1, v9), h2 = v128.xor(v2, v10), h3 = v128.xor(v3, v11);
    h4 = v128.xor(v4, v12), h5 = v128.xor(v5, v13), h6 = v128.xor(v6, v14), h7 = v128.xor(v7, v15);
  } while (rest);
  storeTurned(h0, h1, h2, h3, out, CV_BYTES);
  storeTurned(h4, h5, h6, h7, out + 16, CV_BYTES);
}
