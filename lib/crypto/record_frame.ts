/**
 * A single sealed frame under a key that many objects share (ledger objects): each gets its own AES-256-GCM key by
 * HKDF(key, salt, "tarzan v1 ledger"), so the nonce can be zeros. The salt takes the place of the nonce: 32 fresh random
 * bytes an object, never used for two texts.
 */
import { unshared } from "./bytes.ts";
import { deriveKey } from "./derive.ts";
import { openFrame } from "./seal.ts";

/** Bytes of the salt, which stands in clear beside the frame. */
export const RECORD_SALT_BYTES = 32;

/**
 * Seals `plain`, which must stay as it is meanwhile, for a place described by `aad`. `salt`: 32 bytes from `randomBytes`,
 * fresh for every call.
 */
export async function sealRecordFrame(
  ledgerKey: Uint8Array,
  options: { salt: Uint8Array; aad: Uint8Array; plain: Uint8Array },
): Promise<Uint8Array<ArrayBuffer>> {
  const plain = unshared(options.plain);
  const parameters = zeroNonce(options.aad);
  const key = await frameKey(ledgerKey, options.salt, "encrypt");
  return new Uint8Array(await crypto.subtle.encrypt(parameters, key, plain));
}

/** What was sealed under this salt for this place; DamageError, which calls it `what`, when anything differs. */
export async function openRecordFrame(
  ledgerKey: Uint8Array,
  options: { salt: Uint8Array; aad: Uint8Array; frame: Uint8Array; what: string },
): Promise<Uint8Array<ArrayBuffer>> {
  const { salt, aad, frame, what } = options;
  const key = await frameKey(ledgerKey, salt, "decrypt");
  return await openFrame(key, { parameters: zeroNonce(aad), frame, what });
}

function zeroNonce(aad: Uint8Array): AesGcmParams {
  return { name: "AES-GCM", iv: new Uint8Array(12), additionalData: new Uint8Array(aad) };
}

async function frameKey(ledgerKey: Uint8Array, salt: Uint8Array, use: "encrypt" | "decrypt"): Promise<CryptoKey> {
  if (salt.length !== RECORD_SALT_BYTES) {
    throw new TypeError(`A record's salt has ${RECORD_SALT_BYTES} bytes, not ${salt.length}`);
  }
  const raw = await deriveKey(ledgerKey, "ledger", { salt });
  return await crypto.subtle.importKey("raw", unshared(raw), "AES-GCM", false, [use]);
}
