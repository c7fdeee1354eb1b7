/** What comes back over a connection, or does not. */

export interface Answer {
  status: number;
  /** The header of this name, or undefined; names are in lower case. */
  header(name: string): string | undefined;
  body: Uint8Array<ArrayBuffer>;
}

/** The connection broke, was refused or stood still: nobody knows whether the request took effect. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
}

/** The pieces of a body as one. */
export function joined(pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
