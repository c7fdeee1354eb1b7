/**
 * Signed JSON objects: indexes, forget, condemn and damage records. The text ends with exactly `,"mac":"<64 hex>"}` and a
 * line feed; the MAC (HMAC-SHA-256) covers all *bytes* before these 75. It is checked first, then the bytes are parsed: no
 * canonical form that two implementations must agree about, and no parser that sees forged input. The whole is still one
 * JSON document.
 *
 * Version and `requires` are looked at behind the MAC. A later version of the format therefore keeps this ending, and the
 * key of each kind of object, whatever else it changes: then "newer" is a thing that only a holder of the key can say, and
 * an object that somebody broke cannot pass for a newer one, nor the other way round.
 */
import { DamageError, UnsupportedError } from "./errors.ts";
import { equalBytes } from "./compare.ts";
import { hmacSha256 } from "./hash.ts";
import { fromHex, isHex, toHex } from "./hex.ts";
import { decodeText, encodeText } from "./text.ts";

/** No JSON object is longer. */
export const JSON_LIMIT_BYTES = 256 * 1024 * 1024;
const MAC_BYTES = 32;
const BEFORE_MAC = ',"mac":"';
const AFTER_MAC = '"}\n';
const ENDING_BYTES = BEFORE_MAC.length + 2 * MAC_BYTES + AFTER_MAC.length;

/** The members of a JSON object that was read. */
export type JsonObject = Record<string, unknown>;
/** What a signed object must say: its kind, its version and what a reader must know to understand it. */
export interface SignedHead {
  readonly format: string;
  readonly version: number;
  readonly requires: readonly string[];
}

/** The text of an object with its MAC. The object must not have a member called "mac". */
export function signJson<T extends SignedHead>(object: T, macKey: Uint8Array): string {
  if ("mac" in object) throw new TypeError('Cannot sign a JSON object that has a member "mac"');
  const signed = JSON.stringify(object).slice(0, -1);
  const text = signed + BEFORE_MAC + toHex(hmacSha256(macKey, signed)) + AFTER_MAC;
  if (encodeText(text).length > JSON_LIMIT_BYTES) {
    throw new RangeError(`Cannot sign a JSON object of more than ${JSON_LIMIT_BYTES} bytes`);
  }
  return text;
}

/**
 * The members (without the MAC) of an object signed with `macKey`, of version 1 and of the kind `format`. DamageError when
 * the MAC is wrong or the object is of another kind, UnsupportedError when it is genuine and newer. `what` names it.
 */
export function openJson(
  bytes: Uint8Array,
  macKey: Uint8Array,
  options: { format: string; what: string },
): JsonObject {
  const { format, what } = options;
  const bad = (why: string) => new DamageError(`Cannot trust ${what}: ${why}`);
  const newer = (why: string) => new UnsupportedError(`Cannot read ${what}: ${why}. Update tarzan`);
  const { signed, mac } = splitEnding(bytes, bad);
  if (!equalBytes(hmacSha256(macKey, signed), mac)) {
    throw bad("its MAC is not right, so it was altered, or made with another key");
  }
  const text = decodeText(signed);
  const object = text === undefined ? undefined : parseObject(`${text}}`);
  if (object === undefined) throw bad("it is not JSON");
  const { version, requires } = object;
  if (object.format !== format) {
    throw bad(`it is of the format ${JSON.stringify(object.format)}, where "${format}" belongs`);
  }
  if (!Number.isSafeInteger(version) || (version as number) < 1) throw bad("it has no version");
  if (version !== 1) throw newer(`its version ${version} is newer than this tarzan`);
  if (!Array.isArray(requires)) throw bad('it has no list "requires"');
  if (requires.length > 0) throw newer(`it requires ${JSON.stringify(requires)}, which this tarzan does not know`);
  return object;
}

/** The members of any JSON object, nothing of it proved: for showing it to somebody who has no key, and for nothing else. */
export function parseUnverified(bytes: Uint8Array, what: string): JsonObject {
  if (bytes.length > JSON_LIMIT_BYTES) throw new DamageError(`Cannot read ${what}: it is longer than any such object`);
  const text = decodeText(bytes);
  const object = text === undefined ? undefined : parseObject(text);
  if (object === undefined) throw new DamageError(`Cannot read ${what}: it is not a JSON object`);
  return object;
}

function splitEnding(bytes: Uint8Array, bad: (why: string) => Error): { signed: Uint8Array; mac: Uint8Array } {
  if (bytes.length > JSON_LIMIT_BYTES) throw bad(`it is longer than ${JSON_LIMIT_BYTES} bytes`);
  const at = bytes.length - ENDING_BYTES;
  const ending = at < 0 ? "" : decodeText(bytes.subarray(at)) ?? "";
  const mac = ending.slice(BEFORE_MAC.length, -AFTER_MAC.length);
  if (!ending.startsWith(BEFORE_MAC) || !ending.endsWith(AFTER_MAC) || !isHex(mac, MAC_BYTES)) {
    throw bad("it does not end with a MAC; it may be cut short");
  }
  return { signed: bytes.subarray(0, at), mac: fromHex(mac) };
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value as JsonObject : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
