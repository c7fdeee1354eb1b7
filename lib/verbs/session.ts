/** What a verb gets of the outside. Nothing here knows a terminal: the command line hands in functions. */
import type { ColdStore } from "../glacier/mod.ts";
import type { BucketChoice } from "./bucket_settings.ts";

/** Where things are on this machine. */
export interface Places {
  repository(): string;
  /** Catalogues, journals, and where repositories are. */
  state(): string;
  /** Pins and local key files. */
  config(): string;
}

/** Where secrets come from; nothing is asked before it is needed. */
export interface Secrets {
  passphrase(purpose: string, options: { confirm: boolean }): Promise<string>;
  /** Texts of the files given as keys: age identities, key files, or slots from a recovery sheet. */
  readonly identities: readonly string[];
  readonly pin?: string;
}

/** Hears how far a long thing is. */
export interface Progress {
  update(fields: {
    phase: string;
    bytesDone?: number;
    bytesTotal?: number;
    entries?: number;
    storedBytes?: number;
    /** For what is counted and not measured: objects, tables of contents. */
    itemsDone?: number;
    itemsTotal?: number;
  }): void;
  done(): void;
}

export interface VerbSession {
  readonly places: Places;
  /** Whether the user named the repository; if not, an index file may know a better place than the default. */
  readonly repositoryGiven: boolean;
  /** How a repository in a bucket is reached and written. */
  readonly bucket?: BucketChoice;
  /** Opens cold stores in another way than over the network: for tests, and programs around this one. */
  readonly openCold?: (location: string) => Promise<ColdStore>;
  readonly secrets: Secrets;
  /** The passphrase of a slot that is about to be written. */
  readonly newSecrets: Secrets;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly threads: number | undefined;
  /** Whether what entries are called may be kept on this machine, so that listing them again is fast. */
  readonly keepsEntries: boolean;
  readonly now: () => Date;
  readonly childEnvironment: () => Record<string, string>;
  warn(message: string): void;
  note(message: string): void;
  askYes(text: string, instead: string): Promise<boolean>;
}
