/** What `create` and `glacier-upload` share: uploads of one domain into one cold store, and what becomes of the local copies. */
import type { PlacedRecord } from "../brick/mod.ts";
import type { ColdStore } from "../glacier/mod.ts";
import {
  ColdJournal,
  ColdUploader,
  dropLocal,
  type Dropped,
  type Repository,
  type UploadPlan,
  uploadUnplaced,
} from "../repository/mod.ts";
import { isBucketLocation } from "../store/mod.ts";
import { bareColdLocation } from "./open_cold.ts";
import { ownFolder } from "./local_state.ts";
import type { Opened } from "./open.ts";
import type { VerbSession } from "./session.ts";

/** Uploads at once when nobody says otherwise: enough to fill a line, and bricks of 128 MiB are never in memory whole. */
export const PARALLEL_UPLOADS = 2;

export interface ColdRunOptions {
  opened: Opened;
  domain: string;
  cold: ColdStore;
  /** The size that data bricks aim at. */
  targetBytes: number;
  parallel: number;
  /** Bytes that have arrived. */
  sent?: (bytes: number) => void;
  /** What has just been told of in the ledger. */
  onPlaced?: (placed: PlacedRecord[]) => Promise<void>;
}

/** Uploads of a run. One of `end` and `giveUp` must be called. */
export class ColdRun {
  readonly #session: VerbSession;
  readonly #options: ColdRunOptions;
  readonly #journal: ColdJournal;
  readonly #told = new Set<string>();
  readonly uploader: ColdUploader;

  private constructor(
    session: VerbSession,
    options: ColdRunOptions,
    parts: { journal: ColdJournal; uploader: ColdUploader; told: Set<string> },
  ) {
    this.#session = session;
    this.#options = options;
    this.#journal = parts.journal;
    this.uploader = parts.uploader;
    this.#told = parts.told;
  }

  get cold(): ColdStore {
    return this.#options.cold;
  }

  static async begin(session: VerbSession, options: ColdRunOptions): Promise<ColdRun> {
    const { opened, domain, cold, parallel, sent, onPlaced } = options;
    const { repository, state } = opened;
    refuseSamePlace(repository, cold.location);
    const { ledger } = await repository.keyring.shapeKeys(domain);
    const journal = await ColdJournal.begin(await ownFolder(`${state}/cold-${domain}`), { ledger, domain });
    const told = new Set<string>();
    try {
      const uploader = await ColdUploader.begin({
        ...{ repository, domain, cold, journal, parallel },
        signal: session.signal,
        now: session.now,
        ...(sent && { sent }),
        onPlaced: async (placed) => {
          for (const { handle } of placed) told.add(handle);
          await onPlaced?.(placed);
        },
      });
      return new ColdRun(session, options, { journal, uploader, told });
    } catch (error) {
      journal.leave();
      throw error;
    }
  }

  /** Sends everything that is not yet there. */
  async uploadRest(planned?: (plan: UploadPlan) => void): Promise<UploadPlan> {
    const { opened: { repository } } = this.#options;
    return await uploadUnplaced(repository, {
      ...uploadOptions(this.#options),
      uploader: this.uploader,
      journal: this.#journal,
      signal: this.#session.signal,
      ...(planned && { planned }),
    });
  }

  /** Removes hot copies of data bricks, of all or only of these, that the cold store confirms. */
  async dropLocal(only?: ReadonlySet<string>): Promise<Dropped> {
    const { opened: { repository }, domain, cold } = this.#options;
    const { signal } = this.#session;
    return await dropLocal(repository, { domain, cold, signal, told: this.#told, ...(only && { only }) });
  }

  async end(): Promise<void> {
    await this.#journal.end();
  }

  /** What is stored and not told of is left to the next run. */
  async giveUp(): Promise<void> {
    await this.uploader.abort();
    this.#journal.leave();
  }
}

/** How much is sent at all. */
export function uploadOptions({ opened, domain, cold, targetBytes }: ColdRunOptions) {
  return { domain, cold, targetBytes, gather: isBucketLocation(opened.repository.store.location) };
}

/** One place cannot be both: taking the local copy away would take the only one. */
export function refuseSamePlace({ store }: Pick<Repository, "store">, cold: string): void {
  const [hot, there] = [store.location, bareColdLocation(cold)];
  if (hot !== there && !there.startsWith(`${hot}/`)) return;
  throw new Error(`Cannot use ${there} for cold storage: the repository itself is there. Give it another prefix`);
}

/** What the user should know of copies that stay. */
export function tellOfKept(session: VerbSession, { unconfirmed, why, refused, refusal }: Dropped): void {
  if (unconfirmed > 0) {
    session.note(
      `${unconfirmed} bricks stay here too: cold storage did not say that it holds them (${why}). A vault says so in its ` +
        'daily inventory: "tarzan verify --inventory" asks for one',
    );
  }
  if (refused > 0) {
    session.warn(`${refused} bricks are in cold storage, but could not be removed here: ${refusal}`);
  }
}
