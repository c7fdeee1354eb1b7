/** How a repository gets at what lies in cold storage. */
import type { ColdStore } from "../glacier/mod.ts";

/** Opens cold stores, each once. */
export interface ColdAccess {
  /** Ends reads that are under way. */
  readonly signal: AbortSignal;
  /** The cold store at a place, as `placed` records write it (`s3://bucket/prefix`) or as people do (with `?class=…`). */
  open(location: string): Promise<ColdStore>;
  close(): Promise<void>;
}

/** Access by way of a function that opens a cold store; nothing is opened before it is asked for. */
export function coldAccess(
  open: (location: string) => Promise<ColdStore>,
  { signal }: { signal: AbortSignal },
): ColdAccess {
  const opened = new Map<string, Promise<ColdStore>>();
  return {
    signal,
    open(location) {
      const known = opened.get(location);
      if (known !== undefined) return known;
      const opening = open(location);
      opened.set(location, opening);
      // What fails once may succeed later.
      opening.catch(() => opened.delete(location));
      return opening;
    },
    async close() {
      const stores = await Promise.allSettled(opened.values());
      opened.clear();
      for (const store of stores) if (store.status === "fulfilled") await store.value.close();
    },
  };
}

/** A brick lies in cold storage, and no copy of it can be read now. */
export class NeedsThawError extends Error {
  override name = "NeedsThawError";
  /** Name of the brick. */
  readonly brick: string;
  /** Where the object is that holds it. */
  readonly location: string;
  readonly handle: string;

  constructor(brick: { name: string; location: string; handle: string }, options?: ErrorOptions) {
    super(
      `Brick ${brick.name} is in cold storage (${brick.location}) and cannot be read before it is thawed. ` +
        'Run "tarzan thaw" with the same backup and paths, and again later',
      options,
    );
    this.brick = brick.name;
    this.location = brick.location;
    this.handle = brick.handle;
  }
}
