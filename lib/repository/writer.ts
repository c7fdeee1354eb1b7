/**
 * The writer's half of a backup: what is known already, what goes into bricks, and in which order everything becomes true.
 *
 *   bricks, ledger, .open, look, index
 *
 * "Announce, then look" (docs/ARCHITECTURE.md): the `.open` index tells a prune which bricks this run relies on; looking
 * afterwards tells this run what a prune has taken. Each side announces before it looks, so one of them always sees the
 * other, and no clock decides.
 */
import type { BrickKind, BrickRecord } from "../brick/mod.ts";
import { free } from "../crypto/mod.ts";
import { type CutStream, encodeIndex, type PageRef, type SealedIndex, writeBrickList } from "../snapshot/mod.ts";
import { BrickFiller, type BrickTarget } from "./brick_filler.ts";
import { BrickLog } from "./brick_log.ts";
import { ConflictError } from "./errors.ts";
import { IdSet } from "./id_set.ts";
import { newestIndex } from "./indexes.ts";
import type { Journal } from "./journal.ts";
import { learn } from "./ledger.ts";
import { brickObject, indexObject, newStamp, stampTime } from "./names.ts";
import { PageTable } from "./page_table.ts";
import { missingBricks, noteCondemned } from "./presence.ts";
import { putOwn } from "./put_own.ts";
import type { Repository } from "./repository.ts";

/** A checkpoint is made after the first data brick, then after so many or so long. */
const CHECKPOINT_BRICKS = 64;
const CHECKPOINT_MS = 15 * 60 * 1000;
/**
 * The list of bricks is a stream of a multiple of this many names; the others stand in the index. So a backup that finds
 * nothing new has no new list to store either, though the brick with the last recipe has joined the needed ones.
 */
const LIST_STEP = 64;
/** If announcing and looking took longer than this, both are done again. */
const STALE_LOOK_MS = 3600 * 1000;

/** Where chunks of one kind are packed into blocks (see pipeline). */
export interface ChunkPacker {
  readonly ready: boolean;
  room(): Promise<void>;
  add(bytes: Uint8Array, id: Uint8Array): void;
  flush(): Promise<void>;
}

/** What the index will say beside the recipe. */
export type IndexFacts = Omit<SealedIndex, "pages" | "pageTable" | "bricks" | "brickList" | "lastBricks">;

export interface WriterOptions {
  repository: Repository;
  domain: string;
  brickBytes: number;
  cut: CutStream;
  id: Record<BrickKind, (bytes: Uint8Array) => Uint8Array>;
  journal?: Journal;
  /** Bricks that runs which died left unpublished; the first ledger object tells of them. */
  found?: BrickRecord[];
  /** Where data bricks go, if not into the store. */
  dataTarget?: BrickTarget;
  /** Hears of every finished brick. */
  onBrick?: (brick: BrickRecord) => void;
  /** Waited for when all data bricks are finished, before the last look and the index. */
  beforeIndex?: () => Promise<void>;
  now?: () => number;
  random?: (length: number) => Uint8Array;
  onSeal?: (key: string, number: number) => void;
}

/** Counts of a run, for its summary. */
export interface WriterCounts {
  newBytes: number;
  knownBytes: number;
  newChunks: number;
  knownChunks: number;
  storedBytes: number;
  bricks: string[];
}

/** One backup under way. */
export class BackupWriter {
  readonly #options: WriterOptions;
  readonly #fillers: Record<BrickKind, BrickFiller>;
  #packers: Record<BrickKind, ChunkPacker> | undefined;
  /** Ids of chunks that are in no published brick yet. */
  readonly #fresh: Record<BrickKind, IdSet> = { D: new IdSet(), M: new IdSet() };
  readonly #relied = new Set<number>();
  /** Chunks that came while no block could take them. */
  readonly #waiting: Record<BrickKind, WaitingChunk[]> = { D: [], M: [] };
  readonly #log: BrickLog;
  readonly #pages: PageTable;
  #lastCheckpointMs: number;
  #checkpointBricks = 0;
  #dataChunks = 0;
  #snapshot = "";
  #created = new Date();
  #previous: string | null = null;
  #announced = false;
  readonly counts: WriterCounts = {
    newBytes: 0,
    knownBytes: 0,
    newChunks: 0,
    knownChunks: 0,
    storedBytes: 0,
    bricks: [],
  };

  private constructor(options: WriterOptions, keys: FillerKeys) {
    this.#options = options;
    const { repository, domain, brickBytes, journal, random, onSeal } = options;
    this.#log = new BrickLog({ repository, domain, journal, now: () => this.#now() });
    this.#pages = new PageTable((kind, bytes) => this.put(kind, bytes), options.cut);
    const filler = (kind: BrickKind, recipient: string) =>
      new BrickFiller({
        store: (kind === "D" ? options.dataTarget : undefined) ?? repository.store,
        kind,
        domain,
        keys: keys.brick,
        recipient,
        targetBytes: brickBytes,
        onWhole: async (brick) => await journal?.add(brick),
        onBrick: (brick) => this.#onBrick(brick),
        ...(random === undefined ? {} : { random }),
        ...(onSeal === undefined ? {} : { onSeal }),
      });
    this.#fillers = { D: filler("D", keys.dataRecipient), M: filler("M", keys.metaRecipient) };
    this.#lastCheckpointMs = this.#now();
  }

  /** Begins a backup. What the repository holds must have been learned before. */
  static async begin(options: WriterOptions): Promise<BackupWriter> {
    const { repository, domain } = options;
    const { keyring, store } = repository;
    const { macBrick, toc } = await keyring.shapeKeys(domain);
    const writer = new BackupWriter(options, {
      brick: { macBrick, toc },
      dataRecipient: await keyring.dataRecipient(),
      metaRecipient: await keyring.metaRecipient(),
    });
    writer.#previous = await newestIndex(repository, domain);
    writer.#created = timeBehind(writer.#previous, await store.now());
    writer.#snapshot = newStamp(writer.#created);
    // What a dead run left is known from the first lookup on.
    await writer.#log.adopt(options.found ?? []);
    return writer;
  }

  get snapshot(): string {
    return this.#snapshot;
  }

  /** Names of the objects of all bricks that this backup relies on. */
  get reliedObjects(): string[] {
    const { catalog } = this.#options.repository;
    const needed = new Set(this.#neededBricks());
    return [...catalog.bricks({ domain: this.#options.domain })]
      .filter(({ name }) => needed.has(name))
      .map(({ kind, name }) => brickObject(kind, name));
  }

  /** Where sealed blocks of a kind go. */
  sink(kind: BrickKind): BrickFiller {
    return this.#fillers[kind];
  }

  /** Connects the packers, whose sinks are those of this writer. */
  connect(packers: Record<BrickKind, ChunkPacker>): void {
    this.#packers = packers;
  }

  /** Which bricks hold these chunks; -1: none that may be relied on. */
  lookup(kind: BrickKind, ids: Uint8Array): Int32Array {
    return this.#options.repository.catalog.lookup(kind, this.#options.domain, ids);
  }

  /** Takes a chunk that `lookup` answered with `brick`. Id and bytes must stay as they are until `drain` has returned. */
  take(kind: BrickKind, id: Uint8Array, { bytes, brick }: { bytes: Uint8Array; brick: number }): void {
    this.#count(bytes.length, this.#take({ kind, id, bytes, brick, made: false }));
  }

  /** Stores a chunk that was made here (see snapshot's PutChunk). */
  put(kind: BrickKind, bytes: Uint8Array<ArrayBuffer>): Uint8Array {
    const id = this.#options.id[kind](bytes);
    const { length } = bytes;
    const isNew = this.#take({ kind, id, bytes, brick: this.lookup(kind, id)[0]!, made: true });
    // Recipes are not part of the input.
    if (kind === "D") this.#count(length, isNew);
    if (!isNew) free(bytes);
    return id;
  }

  #take({ kind, id, bytes, brick, made }: { kind: BrickKind; brick: number } & WaitingChunk): boolean {
    if (brick >= 0) {
      this.#relied.add(brick);
      return false;
    }
    if (!this.#fresh[kind].add(id)) return false;
    if (kind === "D") this.#dataChunks++;
    const packer = this.#packers![kind];
    const waiting = this.#waiting[kind];
    // Very many small chunks would be very many small objects if each had to wait.
    if (waiting.length > 0 || !packer.ready) waiting.push({ id, bytes, made });
    else pack(packer, { id, bytes, made });
    return true;
  }

  #count(length: number, isNew: boolean): void {
    if (isNew) {
      this.counts.newChunks++;
      this.counts.newBytes += length;
    } else {
      this.counts.knownChunks++;
      this.counts.knownBytes += length;
    }
  }

  /** Takes a finished page of the recipe. */
  addPage(page: PageRef): void {
    this.#pages.add(page, this.#dataChunks);
  }

  /** Hands waiting chunks on; where bricks cannot be written as fast as input comes, this waits. */
  async drain(): Promise<void> {
    await Promise.all([this.#drain("D"), this.#drain("M")]);
  }

  async #drain(kind: BrickKind): Promise<void> {
    const packer = this.#packers![kind];
    for (const chunk of this.#waiting[kind].splice(0)) {
      if (!packer.ready) await packer.room();
      pack(packer, chunk);
    }
  }

  /** Makes a checkpoint when one is due: after it, an interrupted run can be restored as far as it went. */
  async checkpointIfDue(facts: () => IndexFacts): Promise<void> {
    this.#pages.moveUp(this.#fillers.D.storedChunks);
    const now = this.#now();
    const bricks = this.counts.bricks.length;
    const due = bricks > 0 &&
      (!this.#announced || bricks - this.#checkpointBricks >= CHECKPOINT_BRICKS ||
        now - this.#lastCheckpointMs >= CHECKPOINT_MS);
    if (due) {
      await this.#packers!.M.flush();
      await this.#announce(facts());
      await noteCondemned(this.#options.repository);
      this.#lastCheckpointMs = now;
      this.#checkpointBricks = this.counts.bricks.length;
    } else if (this.#log.isDue) {
      await this.#publish();
    }
  }

  /** Writes everything that is left, then the index. */
  async finish(facts: IndexFacts, options: { complete: boolean }): Promise<{ name: string; bytes: Uint8Array }> {
    await this.drain();
    await this.#packers!.D.flush();
    await this.#fillers.D.finish();
    await this.#options.beforeIndex?.();
    for (;;) {
      const beganMs = this.#now();
      this.#pages.moveUp(Infinity);
      const sealed = await this.#announce(facts);
      if (sealed.bytes !== facts.bytes) {
        throw new Error(`The recipe stands for ${sealed.bytes} bytes, but ${facts.bytes} were read: this is a bug`);
      }
      await this.#look();
      if (this.#now() - beganMs < STALE_LOOK_MS) return await this.#conclude(sealed, options.complete);
    }
  }

  /** Stops: what is finished and announced stays. */
  async abort(): Promise<void> {
    await Promise.allSettled([this.#fillers.D.abort(), this.#fillers.M.abort()]);
  }

  #onBrick(brick: BrickRecord): void {
    this.#log.add(brick);
    this.#options.onBrick?.(brick);
    this.counts.bricks.push(brick.name);
    this.counts.storedBytes += brick.bytes;
  }

  async #publish(): Promise<void> {
    for (const { kind, toc } of await this.#log.publish()) {
      for (let at = 0; at < toc.chunks.length; at += 36) {
        this.#fresh[kind].delete(toc.chunks.subarray(at, at + 32));
      }
    }
  }

  /** Writes the end of the recipe so far, the ledger and `.open`. */
  async #announce(facts: IndexFacts): Promise<SealedIndex> {
    const { pages, bytes, entries } = this.#pages.totals;
    // The hash is that of the whole input; a checkpoint stands for a part of it.
    const treeHash = bytes === facts.bytes ? facts.treeHash : "";
    const pageTable = this.#pages.root();
    await this.drain();
    const listed = this.#neededBricks();
    const put = (kind: BrickKind, bytes: Uint8Array<ArrayBuffer>) => this.put(kind, bytes);
    const inList = listed.slice(0, listed.length - listed.length % LIST_STEP);
    const brickList = writeBrickList(inList, { put, cut: this.#options.cut });
    await this.drain();
    await this.#packers!.M.flush();
    await this.#fillers.M.finish();
    await this.#publish();
    const all = this.#neededBricks();
    const known = new Set(inList);
    const lastBricks = all.filter((name) => !known.has(name));
    const counts = { pages, entries, bytes, treeHash, bricks: all.length };
    const sealed = { ...facts, ...counts, pageTable, brickList, lastBricks };
    await this.#putIndex(sealed, ".open");
    this.#announced = true;
    return sealed;
  }

  /** Names of all bricks that the snapshot needs, in ledger order. */
  #neededBricks(): string[] {
    const { catalog } = this.#options.repository;
    const own = this.#log.names;
    const ownSet = new Set(own);
    const relied: string[] = [];
    for (const { number, name } of catalog.bricks({ domain: this.#options.domain })) {
      if (this.#relied.has(number) && !ownSet.has(name)) relied.push(name);
    }
    return [...relied, ...own];
  }

  /** Whether everything is there that this snapshot relies on; ConflictError where not. */
  async #look(): Promise<void> {
    const { repository, domain } = this.#options;
    const { catalog } = repository;
    const { sentenced } = await noteCondemned(repository);
    await learn(repository, domain);
    const wanted = new Set(this.#neededBricks());
    const needed = [...catalog.bricks({ domain })].filter(({ name }) => wanted.has(name));
    const lost = new Set([
      ...needed.filter(({ name, excluded }) => excluded.gone || sentenced.has(name)).map(({ name }) => name),
      ...await missingBricks(repository, needed),
    ]);
    if (lost.size === 0) return;
    catalog.exclude("absent", [...lost], "add");
    throw new ConflictError(
      `${lost.size} bricks that this backup relies on were removed while it ran (${[...lost][0]!.slice(0, 16)}…). ` +
        "It is kept as incomplete. Run the same command again: it stores anew what is missing",
    );
  }

  async #conclude(sealed: SealedIndex, complete: boolean): Promise<{ name: string; bytes: Uint8Array }> {
    const bytes = await this.#putIndex(sealed, ".json", complete);
    const { store } = this.#options.repository;
    // Nobody looks at an .open beside its .json, and a store may refuse to delete anything: the backup is made.
    await store.delete(indexObject(this.#options.domain, this.#snapshot, ".open")).catch(() => {});
    return { name: this.#snapshot, bytes };
  }

  async #putIndex(sealed: SealedIndex, ending: ".json" | ".open", complete = false): Promise<Uint8Array> {
    const { repository, domain } = this.#options;
    const { macIndex } = await repository.keyring.shapeKeys(domain);
    const index = {
      repository: repository.config.repository,
      domain,
      snapshot: this.#snapshot,
      created: this.#created.toISOString(),
      complete,
      previous: this.#previous,
      sealed,
    };
    const bytes = await encodeIndex(index, { macIndex, metaRecipient: await repository.keyring.metaRecipient() });
    const name = indexObject(domain, this.#snapshot, ending);
    await (ending === ".json" ? putOwn(repository.store, name, bytes) : repository.store.put(name, bytes));
    return bytes;
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

interface WaitingChunk {
  bytes: Uint8Array;
  id: Uint8Array;
  /** Whether the bytes were made here, and belong to nobody else. */
  made: boolean;
}

function pack(packer: ChunkPacker, { bytes, id, made }: WaitingChunk): void {
  packer.add(bytes, id);
  if (made) free(bytes);
}

interface FillerKeys {
  brick: { macBrick: Uint8Array<ArrayBuffer>; toc: Uint8Array<ArrayBuffer> };
  dataRecipient: string;
  metaRecipient: string;
}

/** A snapshot is dated behind the one before it, unless that one's date is further off: then it means nothing. */
const DATE_SLACK_MS = 24 * 3600 * 1000;

/**
 * Names have whole seconds, and their order is that of the snapshots: neither several in one second nor a clock that was set
 * back may make an older one the newest.
 */
function timeBehind(previous: string | null, now: Date): Date {
  const leastMs = (previous === null ? -Infinity : stampTime(previous)!.getTime()) + 1000;
  return leastMs > now.getTime() && leastMs - now.getTime() <= DATE_SLACK_MS ? new Date(leastMs) : now;
}
