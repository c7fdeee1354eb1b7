/** The part of `size` bytes that `range` asks for and that is there; all of them without a range. */
export function boundedRange(size: number, range?: { from: number; length: number }): { from: number; length: number } {
  if (range === undefined) return { from: 0, length: size };
  const { from, length } = range;
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(length) || from < 0 || length < 0) {
    throw new RangeError(`Not a range of bytes: ${length} from ${from}`);
  }
  const start = Math.min(from, size);
  return { from: start, length: Math.min(length, size - start) };
}
