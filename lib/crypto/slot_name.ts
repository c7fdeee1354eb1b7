/**
 * Names of key slots: keys/<label>-<16 hex of the SHA-256 of the object>.age. A flipped bit shows without any key, and a
 * slot is never changed: a new passphrase makes a new object.
 */
import { DamageError } from "./errors.ts";
import { sha256 } from "./hash.ts";
import { toHex } from "./hex.ts";
import { isName } from "./names.ts";

const HASH_BYTES = 8;
const FORM = /^keys\/([a-z0-9][a-z0-9-]{0,31})-([0-9a-f]{16})\.age$/;

/** The name under which a slot is stored. */
export function slotName(label: string, slot: Uint8Array): string {
  if (!isName(label)) {
    throw new TypeError(`"${label}" cannot label a key: take 1 to 32 of a-z, 0-9 and "-", not "-" first`);
  }
  return `keys/${label}-${hashPart(slot)}.age`;
}

/** The label in the name of a slot, or undefined when the name has not that form. */
export function slotLabel(name: string): string | undefined {
  return FORM.exec(name)?.[1];
}

/** Throws DamageError when the bytes stored as `name` are not those that got this name. */
export function checkSlotName(name: string, slot: Uint8Array): void {
  const expected = FORM.exec(name)?.[2];
  if (expected === undefined) {
    throw new DamageError(`Cannot use key slot ${name}: slots are called keys/LABEL-HASH.age`);
  }
  if (expected === hashPart(slot)) return;
  throw new DamageError(
    `Cannot use key slot ${name}: its bytes are not the ones that were stored. Take a copy from elsewhere: the cold store, ` +
      "the recovery sheet, another machine",
  );
}

function hashPart(slot: Uint8Array): string {
  return toHex(sha256(slot).subarray(0, HASH_BYTES));
}
