/**
 * The first bytes of formats that people pipe in by mistake. A compressed tar is stored like anything else, but nothing in it is found
 * again next time and nothing can be listed, so the user is told.
 */

const FORMATS: readonly (readonly [name: string, ...magics: string[]])[] = [
  ["gzip", "1f8b"],
  ["zstd", "28b52ffd"],
  ["xz", "fd377a585a00"],
  ["bzip2", "425a68"],
  ["lz4", "04224d18", "02214c18"],
  ["lzip", "4c5a4950"],
  ["lzop", "894c5a4f"],
  ["compress", "1f9d"],
  ["lrzip", "4c525a49"],
  ["grzip", "47525a69704949"],
  ["7z", "377abcaf271c"],
  ["zip", "504b0304"],
  ["rar", "526172211a07"],
];

const MAGICS = FORMATS.flatMap(([name, ...magics]) =>
  magics.map((hex) => ({ name, magic: hex.match(/../g)!.map((pair) => parseInt(pair, 16)) }))
);

/** zstd and lz4 may begin with skippable frames, which look the same in both. More than a few are no accident. */
const MAX_SKIPPABLE = 16;

/** The name of the compressed format that begins at `from`, if it is a known one. */
export function compressionOf(bytes: Uint8Array, from: number, to: number): string | undefined {
  let at = from;
  for (let skipped = 0; skipped < MAX_SKIPPABLE && isSkippable(bytes, at, to); skipped++) {
    at += skippableLength(bytes, at);
  }
  const found = MAGICS.find(({ magic }) => at + magic.length <= to && magic.every((byte, i) => bytes[at + i] === byte));
  return found?.name ?? (at > from ? "zstd or lz4" : undefined);
}

function isSkippable(bytes: Uint8Array, at: number, to: number): boolean {
  return at + 8 <= to && (bytes[at]! & 0xf0) === 0x50 && bytes[at + 1] === 0x2a && bytes[at + 2] === 0x4d &&
    bytes[at + 3] === 0x18;
}

function skippableLength(bytes: Uint8Array, at: number): number {
  return 8 + bytes[at + 4]! + bytes[at + 5]! * 0x100 + bytes[at + 6]! * 0x10000 + bytes[at + 7]! * 0x1000000;
}
