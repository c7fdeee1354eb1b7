/**
 * The tree of keys (docs/FORMAT.md, "Keys"): which secret follows from which. Nothing here decides who may hold what.
 *
 *     root ─ "control"                          signs forget, condemn and damage records
 *          ─ "data identity 1", "meta identity 1"   seeds of the age identities that open bricks
 *          ─ "shapes" ─ domain id ─ "toc", "ledger", "meta id", "pages", "mac brick", "mac index"
 *          ─ "bodies" ─ domain id ─ "data id", "chunker"
 *
 * Shapes say what exists and how it hangs together, bodies name and cut contents: a key without bodies cannot test guesses
 * about contents.
 */
import { encodeBech32 } from "./bech32.ts";
import { deriveKey, SECRET_BYTES } from "./derive.ts";
import { isHex, toHex } from "./hex.ts";
import { isName } from "./names.ts";

/** A secret, a key or a table of the tree. */
export type Key = Uint8Array<ArrayBuffer>;

/** Bytes of a domain's id. */
export const DOMAIN_ID_BYTES = 16;
/** The gear table: 256 numbers of 64 bits, little-endian. */
export const CHUNKER_TABLE_BYTES = 2048;

/** The keys of a domain that every role holds. */
export interface ShapeKeys {
  /** Seals tables of contents (with a brick's header MAC as salt). */
  readonly toc: Key;
  /** Seals ledger objects. */
  readonly ledger: Key;
  /** Names chunks of recipes. */
  readonly metaId: Key;
  /** Decides where a page of a recipe begins. */
  readonly pages: Key;
  /** Signs headers of bricks. */
  readonly macBrick: Key;
  /** Signs indexes. */
  readonly macIndex: Key;
}

/** The keys of a domain that only those who store or read bodies hold. */
export interface BodyKeys {
  /** Names chunks of bodies. */
  readonly dataId: Key;
  /** The gear table that decides where bodies are cut. */
  readonly chunker: Key;
}

/** The secret above the shape secrets of all domains. */
export function deriveShapes(root: Key): Promise<Key> {
  return deriveKey(root, "shapes");
}

/** The secret above the body secrets of all domains. */
export function deriveBodies(root: Key): Promise<Key> {
  return deriveKey(root, "bodies");
}

/** The key that signs forget, condemn and damage records. */
export function deriveControlKey(root: Key): Promise<Key> {
  return deriveKey(root, "control");
}

/** The hybrid age identity that opens data or meta bricks. */
export async function deriveIdentity(root: Key, kind: "data" | "meta"): Promise<string> {
  return encodeHybridIdentity(await deriveKey(root, `${kind} identity 1`));
}

/** A seed of 32 bytes as a hybrid (ML-KEM-768 + X25519) age identity. */
export function encodeHybridIdentity(seed: Key): string {
  if (seed.length !== SECRET_BYTES) throw new TypeError(`A seed of ${seed.length} bytes makes no age identity`);
  return encodeBech32("age-secret-key-pq-", seed).toUpperCase();
}

/** The id of the domain called `name`, in hex. */
export async function deriveDomainId(shapes: Key, name: string): Promise<string> {
  if (!isName(name)) {
    throw new TypeError(`"${name}" cannot name a domain: take 1 to 32 of a-z, 0-9 and "-", not "-" first`);
  }
  return toHex((await deriveKey(shapes, `domain ${name}`)).subarray(0, DOMAIN_ID_BYTES));
}

/** The secret of one domain, from "shapes" or from "bodies". */
export async function deriveDomainSecret(above: Key, domainId: string): Promise<Key> {
  if (!isHex(domainId, DOMAIN_ID_BYTES)) {
    throw new TypeError(`"${domainId}" is no domain id: 32 digits of lower-case hex`);
  }
  return await deriveKey(above, domainId);
}

/** The keys under the shape secret of a domain. */
export async function deriveShapeKeys(shapeSecret: Key): Promise<ShapeKeys> {
  const [toc, ledger, metaId, pages, macBrick, macIndex] = await Promise.all([
    deriveKey(shapeSecret, "toc"),
    deriveKey(shapeSecret, "ledger"),
    deriveKey(shapeSecret, "meta id"),
    deriveKey(shapeSecret, "pages"),
    deriveKey(shapeSecret, "mac brick"),
    deriveKey(shapeSecret, "mac index"),
  ]);
  return { toc, ledger, metaId, pages, macBrick, macIndex };
}

/** The keys under the body secret of a domain. */
export async function deriveBodyKeys(bodySecret: Key): Promise<BodyKeys> {
  const [dataId, chunker] = await Promise.all([
    deriveKey(bodySecret, "data id"),
    deriveKey(bodySecret, "chunker", { lengthBytes: CHUNKER_TABLE_BYTES }),
  ]);
  return { dataId, chunker };
}
