// BLAKE3's compression function, keyed, of one node (https://github.com/BLAKE3-team/BLAKE3-specs, section 2.2): for what is
// left over where four neighbours make no group, and for the root.

export const PARENT: u32 = 4;
export const ROOT: u32 = 8;
export const CHUNK_START: u32 = 1;
export const CHUNK_END: u32 = 2;
export const KEYED_HASH: u32 = 16;

export const BLOCK_BYTES: usize = 64;
export const CHUNK_BYTES: usize = 1024;
export const CV_BYTES: usize = 32;

/** a + b + m. `b` comes last, since it is the one that was computed last. */
@inline
function mix(a: u32, b: u32, m: u32): u32 {
  return a + m + b;
}

/**
 * Writes the chaining value of a node, 32 bytes, to `out`, which may be where the input is. `kind` PARENT: `length` is 64.
 * `kind` 0, a chunk: `counter` is its number and `length` at most 1,024. With `root` = ROOT the value is the hash. `padded`:
 * 64 bytes for a block that is not full.
 */
export function compress(
  kind: u32,
  key: usize,
  input: usize,
  length: usize,
  counter: usize,
  root: u32,
  out: usize,
  padded: usize,
): void {
  const last = kind == PARENT ? root : CHUNK_END | root;
  let first = kind == PARENT ? 0 : CHUNK_START;
  let h0 = load<u32>(key, 0), h1 = load<u32>(key, 4), h2 = load<u32>(key, 8), h3 = load<u32>(key, 12);
  let h4 = load<u32>(key, 16), h5 = load<u32>(key, 20), h6 = load<u32>(key, 24), h7 = load<u32>(key, 28);

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
    let m0 = load<u32>(p, 0), m1 = load<u32>(p, 4), m2 = load<u32>(p, 8), m3 = load<u32>(p, 12);
    let m4 = load<u32>(p, 16), m5 = load<u32>(p, 20), m6 = load<u32>(p, 24), m7 = load<u32>(p, 28);
    let m8 = load<u32>(p, 32), m9 = load<u32>(p, 36), m10 = load<u32>(p, 40), m11 = load<u32>(p, 44);
    let m12 = load<u32>(p, 48), m13 = load<u32>(p, 52), m14 = load<u32>(p, 56), m15 = load<u32>(p, 60);
    let v0 = h0, v1 = h1, v2 = h2, v3 = h3, v4 = h4, v5 = h5, v6 = h6, v7 = h7;
    let v8: u32 = 0x6a09e667, v9: u32 = 0xbb67ae85, v10: u32 = 0x3c6ef372, v11: u32 = 0xa54ff53a;
    let v12 = <u32> counter, v13: u32 = 0, v14 = <u32> here, v15 = KEYED_HASH | kind | first | (rest ? 0 : last);
    first = 0;

    for (let round = 0;; round++) {
      // the columns
      v0 = mix(v0, v4, m0), v1 = mix(v1, v5, m2), v2 = mix(v2, v6, m4), v3 = mix(v3, v7, m6);
      v12 = rotr<u32>(v12 ^ v0, 16), v13 = rotr<u32>(v13 ^ v1, 16), v14 = rotr<u32>(v14 ^ v2, 16), v15 = rotr<u32>(v15 ^ v3, 16);
      v8 += v12, v9 += v13, v10 += v14, v11 += v15;
      v4 = rotr<u32>(v4 ^ v8, 12), v5 = rotr<u32>(v5 ^ v9, 12), v6 = rotr<u32>(v6 ^ v10, 12), v7 = rotr<u32>(v7 ^ v11, 12);
      v0 = mix(v0, v4, m1), v1 = mix(v1, v5, m3), v2 = mix(v2, v6, m5), v3 = mix(v3, v7, m7);
      v12 = rotr<u32>(v12 ^ v0, 8), v13 = rotr<u32>(v13 ^ v1, 8), v14 = rotr<u32>(v14 ^ v2, 8), v15 = rotr<u32>(v15 ^ v3, 8);
      v8 += v12, v9 += v13, v10 += v14, v11 += v15;
      v4 = rotr<u32>(v4 ^ v8, 7), v5 = rotr<u32>(v5 ^ v9, 7), v6 = rotr<u32>(v6 ^ v10, 7), v7 = rotr<u32>(v7 ^ v11, 7);
      // the diagonals
      v0 = mix(v0, v5, m8), v1 = mix(v1, v6, m10), v2 = mix(v2, v7, m12), v3 = mix(v3, v4, m14);
      v15 = rotr<u32>(v15 ^ v0, 16), v12 = rotr<u32>(v12 ^ v1, 16), v13 = rotr<u32>(v13 ^ v2, 16), v14 = rotr<u32>(v14 ^ v3, 16);
      v10 += v15, v11 += v12, v8 += v13, v9 += v14;
      v5 = rotr<u32>(v5 ^ v10, 12), v6 = rotr<u32>(v6 ^ v11, 12), v7 = rotr<u32>(v7 ^ v8, 12), v4 = rotr<u32>(v4 ^ v9, 12);
      v0 = mix(v0, v5, m9), v1 = mix(v1, v6, m11), v2 = mix(v2, v7, m13), v3 = mix(v3, v4, m15);
      v15 = rotr<u32>(v15 ^ v0, 8), v12 = rotr<u32>(v12 ^ v1, 8), v13 = rotr<u32>(v13 ^ v2, 8), v14 = rotr<u32>(v14 ^ v3, 8);
      v10 += v15, v11 += v12, v8 += v13, v9 += v14;
      v5 = rotr<u32>(v5 ^ v10, 7), v6 = rotr<u32>(v6 ^ v11, 7), v7 = rotr<u32>(v7 ^ v8, 7), v4 = rotr<u32>(v4 ^ v9, 7);
      if (round == 6) break;
      // new m[i] = old m[2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8][i], written as its two cycles
      const m0before = m0, m1before = m1;
      m0 = m2, m2 = m3, m3 = m10, m10 = m12, m12 = m9, m9 = m11, m11 = m5, m5 = m0before;
      m1 = m6, m6 = m4, m4 = m7, m7 = m13, m13 = m14, m14 = m15, m15 = m8, m8 = m1before;
    }
    h0 = v0 ^ v8, h1 = v1 ^ v9, h2 = v2 ^ v10, h3 = v3 ^ v11;
    h4 = v4 ^ v12, h5 = v5 ^ v13, h6 = v6 ^ v14, h7 = v7 ^ v15;
    p += BLOCK_BYTES;
  } while (rest);
  store<u32>(out, h0, 0), store<u32>(out, h1, 4), store<u32>(out, h2, 8), store<u32>(out, h3, 12);
  store<u32>(out, h4, 16), store<u32>(out, h5, 20), store<u32>(out, h6, 24), store<u32>(out, h7, 28);
}
