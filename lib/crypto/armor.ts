/** The text form of a slot, for paper and for pasting. */
import { loadAge } from "./age.ts";
import { DamageError } from "./errors.ts";
import { decodeText } from "./text.ts";

const BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----";
const END = "-----END AGE ENCRYPTED FILE-----";
const COLUMNS = 64;

/** A slot as lines of base64 between two marks, as `age -a` writes it. */
export async function armorSlot(slot: Uint8Array): Promise<string> {
  return (await loadAge()).armor.encode(slot);
}

/**
 * The binary slot behind a file or a pasted text: binary passes through, armor is decoded. Text around the marks, blanks and
 * other line lengths are forgiven, for it may have been typed from paper; a wrong digit is not, the slot will not open.
 */
export async function readSlotInput(
  input: Uint8Array | string,
  what = "the key slot",
): Promise<Uint8Array<ArrayBuffer>> {
  const text = typeof input === "string" ? input : decodeText(input);
  const begin = text?.indexOf(BEGIN) ?? -1;
  if (text === undefined || begin < 0) {
    if (typeof input !== "string") return new Uint8Array(input);
    throw new DamageError(`Cannot read ${what}: it has no line "${BEGIN}"`);
  }
  const end = text.indexOf(END, begin);
  if (end < 0) throw new DamageError(`Cannot read ${what}: its last line "${END}" is missing`);
  const digits = text.slice(begin + BEGIN.length, end).replace(/\s/g, "");
  const lines = digits.match(new RegExp(`.{1,${COLUMNS}}`, "g"));
  if (lines === null) throw new DamageError(`Cannot read ${what}: there is nothing between its marks`);
  try {
    return new Uint8Array((await loadAge()).armor.decode([BEGIN, ...lines, END].join("\n")));
  } catch (cause) {
    throw new DamageError(`Cannot read ${what}: what stands between its marks is not whole base64`, { cause });
  }
}
