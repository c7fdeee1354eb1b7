/**
 * Where bricks sleep: a bucket with an archive class, or an Amazon Glacier vault. Storing is cheap there; reading takes
 * hours and costs money, so it is asked for ("thawed") first. `tests/glacier/cold_conformance.ts` holds each kind to this.
 *
 * - **Handles.** What a cold store calls an object is its own affair: a key in a bucket, an archive id in a vault. Nobody
 *   computes one; the ledger's `placed` records keep them.
 * - **Nothing twice.** `upload` may be repeated after any failure, also by another process after kill -9: what was
 *   confirmed is not sent again. A bucket that has the object already, with the same bytes, is a success; a vault cannot be
 *   asked for that, so whoever has a handle does not upload.
 * - **Nothing believed.** An upload resolves only after the store itself has said that it holds these bytes: S3 by size
 *   and SHA-256, a vault by size and tree hash.
 * - **Nothing paid by surprise.** Only `thaw` and `read` may cost more than a request, and only they touch what is cold.
 */

/** What a stored object costs and how it is read; VAULT is Amazon's first Glacier, which has no classes. */
export type ColdClass = "STANDARD_IA" | "GLACIER_IR" | "GLACIER" | "DEEP_ARCHIVE" | "VAULT";
export type Tier = "bulk" | "standard" | "expedited";
/** What an object turns out to have: servers that know no classes, and those that ignore them, say STANDARD. */
export type StoredClass = ColdClass | "STANDARD";

/** An object on its way into cold storage. */
export interface ColdUpload {
  /** Its name in the repository, such as `bricks/ab/<64 hex>` or `bundles/<64 hex>.tar`. */
  name: string;
  /** The repository's id: what is in a vault must say whose it is. */
  repository: string;
  bytes: number;
  /** Hex. */
  sha256: string;
  treeHash: string;
  /** The bytes, again and again where that is needed. */
  read(range: { from: number; length: number }): Promise<Uint8Array<ArrayBuffer>>;
}

/** An object as a cold store knows it. */
export interface ColdObject {
  handle: string;
  /** As in `ColdUpload`; undefined: not one of ours. */
  name: string | undefined;
  repository: string | undefined;
  bytes: number;
  /**
   * What the bytes hash to, hex. A bucket itself says the SHA-256, a vault itself the tree hash; the other one is what was
   * written beside the object when it was stored, and given only where that fits what the store says.
   */
  sha256: string | undefined;
  treeHash: string | undefined;
  class: StoredClass;
  storedAt: Date;
}

/** Whether an object can be read now. `direct`: always, no thaw is needed. */
export type Thaw =
  | { state: "direct" }
  | { state: "cold" }
  | { state: "thawing"; tier: Tier | undefined; readyAt: Date | undefined }
  | { state: "ready"; until: Date | undefined };

/** What a cold store says of one object that should be there. */
export type Confirmation =
  /** The store held an object of this size and hash at this moment: now in a bucket, the inventory's date in a vault. */
  | { found: "same"; class: StoredClass; at: Date }
  /** Another size or hash, or a bucket knows no checksum of it. */
  | { found: "other"; why: string }
  | { found: "absent" }
  /** A vault without an inventory that can be read (see `list`), or one too old to know of this object. */
  | { found: "unknown"; why: string };

/** What `list` stands on. */
export interface Listing {
  /** What there was at this moment; later objects may or may not be missing. */
  at: Date;
  objects: AsyncIterable<ColdObject>;
}

/** A place where bricks sleep. All failures are errors that name the place and say what to do. */
export interface ColdStore {
  /** As the user writes it, without class: `s3://bucket/prefix`, `glacier://region/vault`. */
  readonly location: string;
  /** The class that new objects get. */
  readonly class: ColdClass;

  /**
   * Stores an object; its handle. `sent` hears of bytes that have arrived, those of earlier runs included. `began` hears,
   * and is waited for before anything is sent, a text that may be kept and handed in as `earlier` by the next try: nothing
   * needs it, but where a process dies between the vault's last step and its answer, only this keeps the next one from
   * storing the archive a second time.
   */
  upload(
    object: ColdUpload,
    options: {
      signal: AbortSignal;
      sent?: (bytes: number) => void;
      earlier?: string;
      began?: (token: string) => void | Promise<void>;
    },
  ): Promise<string>;

  /**
   * What the store itself says of these objects without reading one of them, in the same order. `storedAt` is when they were
   * placed. A vault reads its whole newest inventory for that: ask for all of them at once.
   */
  confirm(
    objects: readonly { handle: string; bytes: number; sha256: string; treeHash: string; storedAt: Date }[],
    options: { signal: AbortSignal },
  ): Promise<Confirmation[]>;

  /**
   * All objects, two of the same name too. A vault answers from an inventory that takes hours: `ready` false then, with the
   * time when asking again makes sense (undefined: a day or so, a new vault has none yet); the job is found again by whoever
   * asks next. An inventory that can be read is used, with `since` only one that was asked for at that moment or later.
   */
  list(
    options: { signal: AbortSignal; since?: Date },
  ): Promise<{ ready: true; listing: Listing } | { ready: false; readyAt: Date | undefined }>;

  /** Which of these can be read now; asked as cheaply as can be. In the same order. */
  states(objects: readonly { handle: string; bytes: number }[], options: { signal: AbortSignal }): Promise<Thaw[]>;

  /**
   * Asks for a readable copy of an object for `days` days; a vault keeps one for a day, whatever is asked. What is thawing
   * or thawed already is a success; a copy in a bucket that ends before `days` from now is prolonged.
   */
  thaw(
    object: { handle: string; bytes: number },
    options: { tier: Tier; days: number; signal: AbortSignal },
  ): Promise<Thaw>;

  /** Bytes of a thawed object; NotThawedError where it is not. */
  read(
    object: { handle: string; bytes: number },
    options: { range: { from: number; length: number }; signal: AbortSignal },
  ): Promise<Uint8Array<ArrayBuffer>>;

  /** Removes an object; removing what is absent succeeds. What that costs is the caller's affair. */
  remove(handle: string, options: { signal: AbortSignal }): Promise<void>;

  close(): Promise<void>;
}

/** An object that must be thawed before it can be read. */
export class NotThawedError extends Error {
  override name = "NotThawedError";
}
