/**
 * The clear part of an age file (c2sp.org/age), read without any key: for whom it is sealed, in which ways, at which cost.
 *
 *     age-encryption.org/v1
 *     -> TYPE ARGUMENT ...
 *     BODY in base64, lines of 64 columns, the last one shorter (maybe empty)
 *     --- MAC in base64
 *
 * It says what a file claims; only opening the file proves it.
 */
import { DamageError, UnsupportedError } from "./errors.ts";
import { encodeText } from "./text.ts";

/** A recipient's part of an age header. */
export interface AgeStanza {
  readonly type: string;
  /** What follows the type in its line. */
  readonly args: readonly string[];
}

const PREFIX = encodeText("age-encryption.org/");
/** A payload takes at least a nonce and a tag. */
const LEAST_PAYLOAD_BYTES = 16 + 16;
const LINE_FEED = 10;
const ascii = new TextDecoder("latin1");

/** Whether bytes begin as a (binary) age file does. */
export function startsAsAge(bytes: Uint8Array): boolean {
  return PREFIX.every((byte, i) => bytes[i] === byte);
}

/** The stanzas of an age file whose header may take `limitBytes`. `what` names it in errors. */
export function readAgeStanzas(file: Uint8Array, options: { what: string; limitBytes: number }): AgeStanza[] {
  const bad = (why: string) => new DamageError(`Cannot read ${options.what}: ${why}`);
  const header = file.subarray(0, options.limitBytes);
  let at = 0;
  function nextLine(): string {
    const end = header.indexOf(LINE_FEED, at);
    if (end < 0) {
      throw bad(
        header.length < file.length ? `its age header is longer than ${header.length} bytes` : "it is cut short",
      );
    }
    const line = ascii.decode(header.subarray(at, end));
    at = end + 1;
    return line;
  }
  function skipBody(): void {
    let length: number;
    do {
      const line = nextLine();
      if (!/^[A-Za-z0-9+/]{0,64}$/.test(line)) throw bad("its age header is malformed");
      length = line.length;
    } while (length === 64);
  }

  if (!startsAsAge(file)) throw bad("it is no age file");
  const version = nextLine();
  if (/^age-encryption\.org\/v([2-9]|[1-9][0-9]+)$/.test(version)) {
    throw new UnsupportedError(`Cannot read ${options.what}: it is an age file of a newer format (${version})`);
  }
  if (version !== "age-encryption.org/v1") throw bad("it is no age file");
  const stanzas: AgeStanza[] = [];
  for (let line = nextLine(); !line.startsWith("---"); line = nextLine()) {
    if (!/^-> [!-~]+( [!-~]+)*$/.test(line)) throw bad("its age header is malformed");
    const [type, ...args] = line.slice(3).split(" ");
    stanzas.push({ type: type!, args });
    skipBody();
  }
  if (stanzas.length === 0) throw bad("it is sealed to nobody");
  if (file.length - at < LEAST_PAYLOAD_BYTES) throw bad("it is cut short");
  return stanzas;
}
