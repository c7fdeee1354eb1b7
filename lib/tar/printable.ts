/**
 * Names for terminals and logs. A name in a tar is any bytes: escape sequences that move the cursor, newlines that forge a line of
 * output, right-to-left overrides that hide an extension. What is printed holds none of them, and can be turned back into the very same
 * bytes:
 *
 *     \\      a backslash
 *     \xHH   any byte that is not part of a printable character (two lower-case hex digits)
 *
 * Printable is valid UTF-8 outside the Unicode categories C (control, format, private, unassigned) and the line and paragraph
 * separators. A format character of three bytes becomes three escapes.
 */

const BACKSLASH = 0x5c;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The name as text that can be printed; `nameFromPrintable` is its inverse. */
export function printableName(name: Uint8Array): string {
  let text = "";
  for (let at = 0; at < name.length;) {
    const run = endOfPlain(name, at);
    // Not spread: that takes the bytes one by one through an iterator, and a list has millions of names.
    text += String.fromCharCode.apply(null, name.subarray(at, Math.min(run, at + 4096)) as unknown as number[]);
    at = Math.min(run, at + 4096);
    if (at < run || at === name.length) continue;
    const length = characterLength(name, at);
    const character = length > 1 ? decode(name.slice(at, at + length)) : undefined;
    if (character !== undefined && !UNPRINTABLE.test(character)) {
      text += character;
      at += length;
    } else text += escapeByte(name[at++]!);
  }
  return text;
}

/** The bytes of a name that `printableName` printed, or that somebody typed. A backslash that begins no escape stands for itself. */
export function nameFromPrintable(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  const name = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    let byte = bytes[at]!;
    if (byte === BACKSLASH && bytes[at + 1] === BACKSLASH) at++;
    else if (byte === BACKSLASH) {
      const escaped = /^\\x([0-9a-f]{2})/.exec(String.fromCharCode(...bytes.subarray(at, at + 4)));
      if (escaped) {
        byte = parseInt(escaped[1]!, 16);
        at += 3;
      }
    }
    name[length++] = byte;
  }
  return name.slice(0, length);
}

/** The end of the printable ASCII from `at` on. */
function endOfPlain(name: Uint8Array, at: number): number {
  let end = at;
  while (end < name.length && name[end]! >= 0x20 && name[end]! < 0x7f && name[end] !== BACKSLASH) end++;
  return end;
}

/** How long the character that begins at `at` says it is; 1 when it is ASCII or no beginning. */
function characterLength(name: Uint8Array, at: number): number {
  const lead = name[at]!;
  if (lead < 0xc2 || lead > 0xf4) return 1;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** Takes a copy: a TextDecoder refuses memory that is shared between threads. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined; // not UTF-8: the caller escapes it
  }
}

function escapeByte(byte: number): string {
  return byte === BACKSLASH ? "\\\\" : `\\x${byte.toString(16).padStart(2, "0")}`;
}
