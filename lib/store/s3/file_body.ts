import { createHash } from "node:crypto";
import type { Body } from "./transfer.ts";

const PIECE_BYTES = 1024 * 1024;

/** A file as a body: opened when it is first read, closed by `close`. Any number of tries may read it. */
export class FileBody implements Body {
  readonly bytes: number;
  readonly sha256: string;
  readonly #path: string;
  #file: Deno.FsFile | undefined;

  constructor(path: string, { bytes, sha256 }: { bytes: number; sha256: string }) {
    this.#path = path;
    this.bytes = bytes;
    this.sha256 = sha256;
  }

  /** One read at a time; fewer bytes only where the file ends. */
  async read(
    { from, length }: { from: number; length: number },
    into?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    this.#file ??= await Deno.open(this.#path, { read: true });
    await this.#file.seek(from, Deno.SeekMode.Start);
    const bytes = into?.subarray(0, length) ?? new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const read = await this.#file.read(bytes.subarray(filled));
      if (read === null) break;
      filled += read;
    }
    return bytes.subarray(0, filled);
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

/** Length and SHA-256 of a file. */
export async function measureFile(path: string): Promise<{ bytes: number; sha256: string }> {
  using file = await Deno.open(path, { read: true });
  const hash = createHash("sha256");
  const buffer = new Uint8Array(PIECE_BYTES);
  let bytes = 0;
  for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
    hash.update(buffer.subarray(0, read));
    bytes += read;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** The SHA-256 that is an object's name; undefined for names that are no hashes. */
export function hashInName(name: string): string | undefined {
  return /(?:^|\/)([0-9a-f]{64})$/.exec(name)?.[1];
}

/** Bytes that are at hand as a body. */
export function bytesBody(bytes: Uint8Array): Body {
  // A copy: what is sent must not change, and a view may be of shared memory.
  const own = new Uint8Array(bytes);
  return {
    bytes: own.length,
    sha256: createHash("sha256").update(own).digest("hex"),
    read: ({ from, length }) => Promise.resolve(own.subarray(from, from + length)),
  };
}
