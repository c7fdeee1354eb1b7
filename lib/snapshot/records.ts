/** Records of one length out of a stream whose pieces end anywhere. */
import { DamageError } from "../crypto/mod.ts";

/** Gives runs of whole records, as views, in order. */
export async function* wholeRecords(
  pieces: AsyncIterable<Uint8Array>,
  options: { recordBytes: number; what: string },
): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  for await (const piece of pieces) {
    let bytes = piece;
    if (rest.length > 0) {
      bytes = new Uint8Array(rest.length + piece.length);
      bytes.set(rest);
      bytes.set(piece, rest.length);
    }
    const whole = bytes.length - bytes.length % options.recordBytes;
    for (let at = 0; at < whole; at += options.recordBytes) yield bytes.subarray(at, at + options.recordBytes);
    rest = bytes.subarray(whole);
  }
  if (rest.length > 0) throw new DamageError(`Cannot read ${options.what}: it ends inside a record`);
}
