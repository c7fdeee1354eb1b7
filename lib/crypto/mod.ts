/** Ids, sealing, key derivation and slots: everything that needs a key, and nothing that does I/O. */
export { armorSlot, readSlotInput } from "./armor.ts";
export {
  BUNDLE_FORMAT,
  type Domain,
  formatBundle,
  type FullBundle,
  type KeyBundle,
  type ListBundle,
  parseBundle,
  type Role,
  SLOT_LIMIT_BYTES,
  type WriteBundle,
} from "./bundle.ts";
export { concatBytes, free, readU32, unshared, writeU32 } from "./bytes.ts";
export { equalBytes } from "./compare.ts";
export { deriveKey, SECRET_BYTES } from "./derive.ts";
export { DamageError, UnsupportedError, WrongKeyError } from "./errors.ts";
export { createFullBundle, createListBundle, createWriteBundle } from "./grants.ts";
export { beginSha256, hmacSha256, type Sha256, sha256 } from "./hash.ts";
export { fromHex, isHex, toHex } from "./hex.ts";
export {
  createIdHasher,
  createSharedIdHasher,
  ID_BYTES,
  ID_KEY_BYTES,
  type IdHasher,
  idScratchBytes,
  type SharedIdHasher,
  type SharedIdOptions,
} from "./ids.ts";
export { parseIdentityFile } from "./identity_file.ts";
export { type KeyFileKind, recogniseKeyFile } from "./key_file.ts";
export { type Ability, Keyring } from "./keyring.ts";
export { type BodyKeys, CHUNKER_TABLE_BYTES, DOMAIN_ID_BYTES, type Key, type ShapeKeys } from "./keys.ts";
export { isName } from "./names.ts";
export { generatePassphrase } from "./passphrase.ts";
export { bundleHash, pinCode, pinMatches } from "./pin.ts";
export { randomBytes, refuseSeededRandomness } from "./random.ts";
export { openRecordFrame, RECORD_SALT_BYTES, sealRecordFrame } from "./record_frame.ts";
export { type FrameLetter, openedSize, Opener, sealedSize, Sealer } from "./seal.ts";
export {
  JSON_LIMIT_BYTES,
  type JsonObject,
  openJson,
  parseUnverified,
  type SignedHead,
  signJson,
} from "./signed_json.ts";
export { checkSlotName, slotLabel, slotName } from "./slot_name.ts";
export {
  inspectSlot,
  isPostQuantum,
  openSlot,
  SCRYPT_WORK_FACTOR,
  sealSlot,
  type SlotFor,
  type SlotSeal,
} from "./slot.ts";
export { decodeText, encodeText } from "./text.ts";
export { checkWrap, unwrapKey, wrapKey } from "./wrap.ts";
