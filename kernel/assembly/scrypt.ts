// The costly middle of scrypt (RFC 7914): ROMix over BlockMix over Salsa20/8.
//
// Each step of Salsa20 waits for the one before, and there is nothing else to do meanwhile, so a block takes the latency of
// its 128 adds, shifts and xors. With the diagonals of the state as vectors, the four quarter rounds of a step are one.
//
// Of the n values that ROMix remembers, every second is computed again when it is asked for. That is a quarter more to
// compute and half the memory. It takes no longer where first touching a page costs as much as it does in a virtual machine.
//
// V8 compiles a function better once it has run for a while, and goes over to the better code at its next call: hence
// BlockMix is a function that both loops call, not a part of them.

/** Bytes of a Salsa20 block. */
const SALSA_BYTES: usize = 64;

/** x ^ rotl(sum, n). The shifts do not wait for one another, and the xor with x waits for one only. */
@inline
function turn(x: v128, sum: v128, n: i32): v128 {
  return v128.xor(v128.xor(x, i32x4.shl(sum, n)), i32x4.shr_u(sum, 32 - n));
}

/** Writes BlockMix(from ^ mask) to `to`, which is elsewhere. All three have `size` bytes. */
function blockMix(from: usize, mask: usize, to: usize, size: usize): void {
  const last = size - SALSA_BYTES;
  let a = v128.xor(v128.load(from + last, 0), v128.load(mask + last, 0));
  let b = v128.xor(v128.load(from + last, 16), v128.load(mask + last, 16));
  let c = v128.xor(v128.load(from + last, 32), v128.load(mask + last, 32));
  let d = v128.xor(v128.load(from + last, 48), v128.load(mask + last, 48));
  let even = to, odd = to + size / 2;
  for (const end = from + size; from < end; from += SALSA_BYTES, mask += SALSA_BYTES) {
    const a0 = a = v128.xor(a, v128.xor(v128.load(from, 0), v128.load(mask, 0)));
    const b0 = b = v128.xor(b, v128.xor(v128.load(from, 16), v128.load(mask, 16)));
    const c0 = c = v128.xor(c, v128.xor(v128.load(from, 32), v128.load(mask, 32)));
    const d0 = d = v128.xor(d, v128.xor(v128.load(from, 48), v128.load(mask, 48)));
    for (let round = 0; round < 8; round += 2) {
      // the columns
      b = turn(b, i32x4.add(a, d), 7);
      c = turn(c, i32x4.add(b, a), 9);
      d = turn(d, i32x4.add(c, b), 13);
      a = turn(a, i32x4.add(d, c), 18);
      b = v128.shuffle<i32>(b, b, 3, 0, 1, 2);
      c = v128.shuffle<i32>(c, c, 2, 3, 0, 1);
      d = v128.shuffle<i32>(d, d, 1, 2, 3, 0);
      // the rows
      d = turn(d, i32x4.add(a, b), 7);
      c = turn(c, i32x4.add(d, a), 9);
      b = turn(b, i32x4.add(c, d), 13);
      a = turn(a, i32x4.add(b, c), 18);
      b = v128.shuffle<i32>(b, b, 1, 2, 3, 0);
      c = v128.shuffle<i32>(c, c, 2, 3, 0, 1);
      d = v128.shuffle<i32>(d, d, 3, 0, 1, 2);
    }
    a = i32x4.add(a, a0), b = i32x4.add(b, b0), c = i32x4.add(c, c0), d = i32x4.add(d, d0);
    v128.store(even, a, 0), v128.store(even, b, 16), v128.store(even, c, 32), v128.store(even, d, 48);
    // The next one goes to the other half.
    const after = even + SALSA_BYTES;
    even = odd, odd = after;
  }
}

/**
 * ROMix of the `size` bytes (128 r) at `block`, in place. `n` is a power of two, at least 2. `scratch` has `n / 2 + 4` times
 * `size` bytes, none of which anybody else may use meanwhile.
 */
export function scryptRoMix(block: usize, size: usize, n: usize, scratch: usize): void {
  const end = scratch + n / 2 * size;
  let x = end, y = x + size;
  const between = y + size, zeros = between + size;
  memory.fill(zeros, 0, size);
  for (let i: usize = 0; i < size; i += 4) store<u32>(scratch + i, load<u32>(block + diagonal(i)));
  for (let v = scratch; v < end; v += size) {
    blockMix(v, zeros, between, size);
    blockMix(between, zeros, v + size, size);
  }
  for (let i: usize = 0; i < n; i++) {
    const j = load<u32>(x + size - SALSA_BYTES) & (n - 1);
    let v = scratch + j / 2 * size;
    if (j & 1) {
      blockMix(v, zeros, between, size);
      v = between;
    }
    blockMix(x, v, y, size);
    const mixed = y;
    y = x, x = mixed;
  }
  for (let i: usize = 0; i < size; i += 4) store<u32>(block + diagonal(i), load<u32>(x + i));
}

/** Offset of the word that belongs at offset `i` when the diagonals of each Salsa20 block are rows. */
@inline
function diagonal(i: usize): usize {
  return (i & ~63) | (i * 5 & 63);
}
