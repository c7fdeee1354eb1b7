// The inner loop of FastCDC (Xia et al., USENIX ATC 2016 and IEEE TPDS 2020): a 64-bit gear hash over every byte, and the
// first byte at which all bits of the mask are zero.
//
// One byte a step, eight steps a turn, is the fastest form in V8: it turns `(hash << 1) + gear` into one `lea`, so the
// chain is a cycle a byte. Two bytes a step (the 2020 paper) and eight bytes a block (borg 2) have shorter chains in
// theory and were a quarter and a half slower here. All three cut at the same bytes.

/** The hash after the last byte that gearScan of this instance looked at; an instance belongs to one thread. */
let hash: u64 = 0;

@inline
function step(before: u64, table: usize, byte: u8): u64 {
  return (before << 1) + load<u64>(table + (<usize> byte << 3));
}

/**
 * Goes on with hash `start` over the bytes [from, to). Returns the offset of the first byte after which the hash has no
 * bit of the mask, or `to`.
 */
export function gearScan(table: usize, from: usize, to: usize, start: u64, mask: u64): usize {
  let h = start;
  let p = from;
  for (; p + 8 <= to; p += 8) {
    h = step(h, table, load<u8>(p, 0));
    if (!(h & mask)) return p;
    h = step(h, table, load<u8>(p, 1));
    if (!(h & mask)) return p + 1;
    h = step(h, table, load<u8>(p, 2));
    if (!(h & mask)) return p + 2;
    h = step(h, table, load<u8>(p, 3));
    if (!(h & mask)) return p + 3;
    h = step(h, table, load<u8>(p, 4));
    if (!(h & mask)) return p + 4;
    h = step(h, table, load<u8>(p, 5));
    if (!(h & mask)) return p + 5;
    h = step(h, table, load<u8>(p, 6));
    if (!(h & mask)) return p + 6;
    h = step(h, table, load<u8>(p, 7));
    if (!(h & mask)) return p + 7;
  }
  for (; p < to; p++) {
    h = step(h, table, load<u8>(p));
    if (!(h & mask)) return p;
  }
  hash = h;
  return to;
}

/** The hash after a gearScan that returned `to`: what the next one over the same chunk starts with. */
export function gearHash(): u64 {
  return hash;
}
