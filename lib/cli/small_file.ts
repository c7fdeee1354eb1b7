/** More than any passphrase or identity file needs; a bound for what is read into memory. */
const maxBytes = 1024 * 1024;

/** Reads a small file whole. The error says what the file was for. */
export async function readSmallFile(path: string, what: string): Promise<Uint8Array> {
  try {
    using file = await Deno.open(path);
    return await readSmall(file.readable, `${what} ${path}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Error(`Cannot read the ${what}: ${path} does not exist`, { cause: error });
    }
    throw new Error(`Cannot read the ${what} ${path}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

/** Collects a stream that is expected to be small, and refuses it when it is not. */
export async function readSmall(stream: ReadableStream<Uint8Array>, what: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) {
    length += piece.length;
    if (length > maxBytes) throw new Error(`the ${what} has more than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The first line of a text, without its line end: what counts as the passphrase in a file or a command's output. */
export function firstLine(bytes: Uint8Array): string {
  const end = bytes.indexOf(0x0a);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)).replace(/\r$/, "");
}
