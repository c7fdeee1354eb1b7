/**
 * A restore that waits for cold storage: each stretch is written as soon as its bricks can be read, in the order of the
 * stream, while those behind it are still on their way.
 */
import { copyOut, type Output, type OutSegment } from "../pipeline/mod.ts";
import { NeedsThawError } from "../repository/mod.ts";
import { type ColdRestore, stillCold } from "./cold_restore.ts";
import type { Selection } from "./selection.ts";
import type { OpenSnapshot } from "./snapshot.ts";
import type { VerbSession } from "./session.ts";
import { writeMark } from "./thaw_notes.ts";
import type { WantedObject } from "./thawing.ts";

const MARK_EVERY_MS = 10_000;

/**
 * Writes what was selected in order, each stretch as soon as it can be read; the number of bytes. A copy that ends while it is
 * read, on a line that is slower than anybody thought, is asked for again, and the stream goes on where it was.
 */
export async function copyAsThawed(
  session: VerbSession,
  selection: Selection,
  options: { cold: ColdRestore; reader: OpenSnapshot["reader"]; output: Output },
): Promise<number> {
  const { cold, reader, output } = options;
  let written = 0;
  let failedAt: number | undefined;
  const counted: Output = async (bytes) => {
    await output(bytes);
    written += bytes.length;
  };
  for (;;) {
    try {
      const course = new Course(session, cold, (id) => reader.place("D", id).brick);
      await copyFrom(session, selection, { from: written, course, reader, output: counted });
      return written;
    } catch (error) {
      // Twice at the same byte: whatever the store says of its copies, it does not give them.
      if (!(error instanceof NeedsThawError) || !cold.mayAsk || failedAt === written) throw error;
      failedAt = written;
      await cold.thawing.look();
    }
  }
}

async function copyFrom(
  session: VerbSession,
  selection: Selection,
  { from, course, reader, output }: {
    from: number;
    course: Course;
    reader: OpenSnapshot["reader"];
    output: Output;
  },
): Promise<void> {
  const { signal } = session;
  const source = behind(selection.segments(), { bytes: from, onChunk: () => course.skip() });
  let next = await source.next();
  course.begin();
  async function* stretch(): AsyncGenerator<OutSegment[]> {
    while (!next.done && await course.isReadable(next.value)) {
      yield [next.value];
      next = await source.next();
    }
  }
  try {
    while (!next.done) {
      await course.waitFor(next.value);
      // What can be read is written to the last byte before anybody waits.
      await copyOut(stretch(), { reader, output, signal });
    }
    await course.end();
  } finally {
    await source.return(undefined);
  }
}

/** The segments from some byte on; `onChunk` hears of every chunk that is passed over. */
async function* behind(
  segments: AsyncIterable<readonly OutSegment[]>,
  { bytes, onChunk }: { bytes: number; onChunk: () => void },
): AsyncGenerator<OutSegment> {
  let left = bytes;
  for await (const run of segments) {
    for (const segment of run) {
      const length = "bytes" in segment ? segment.bytes.length : segment.length;
      if (left > 0 && left >= length) {
        left -= length;
        if (!("bytes" in segment)) onChunk();
      } else if (left > 0) {
        yield "bytes" in segment
          ? { bytes: segment.bytes.subarray(left) }
          : { ...segment, from: segment.from + left, length: length - left, whole: false };
        left = 0;
      } else {
        yield segment;
      }
    }
  }
}

/** How far a restore is along its segments, and what that means for the thaw. */
class Course {
  readonly #session: VerbSession;
  readonly #cold: ColdRestore;
  readonly #brickOf: (id: Uint8Array) => string;
  readonly #objects: ReadonlyMap<string, WantedObject>;
  #chunks = 0;
  #current: string | undefined;
  #markedMs = -Infinity;

  constructor(session: VerbSession, cold: ColdRestore, brickOf: (id: Uint8Array) => string) {
    this.#session = session;
    this.#cold = cold;
    this.#brickOf = brickOf;
    const { objects } = cold.thawing;
    this.#objects = new Map(objects.flatMap((object) => object.bricks.map((brick) => [brick, object] as const)));
  }

  /** A chunk was written before. */
  skip(): void {
    this.#chunks++;
  }

  /** What is wanted begins here. */
  begin(): void {
    this.#cold.thawing.goOnFrom(this.#chunks);
  }

  /** Whether a segment can be read; if so, it counts as read. */
  async isReadable(segment: OutSegment): Promise<boolean> {
    if ("bytes" in segment) return true;
    const brick = this.#brickOf(segment.id);
    const object = this.#objects.get(brick);
    if (object !== undefined) {
      const { thawing, mayAsk } = this.#cold;
      const isAnother = brick !== this.#current;
      if (isAnother) {
        thawing.passed(this.#chunks);
        await this.#mark({ atOnce: false });
      }
      if (mayAsk && (isAnother || thawing.isDue)) await thawing.keepUp(object);
      if (!thawing.isReadable(object)) return false;
    }
    this.#current = brick;
    this.#chunks++;
    return true;
  }

  /** Returns when a segment can be read, asking for it as often as that takes. */
  async waitFor(segment: OutSegment): Promise<void> {
    if ("bytes" in segment) return;
    const { thawing } = this.#cold;
    const object = this.#objects.get(this.#brickOf(segment.id));
    this.#current = undefined;
    while (object !== undefined && !thawing.isReadable(object)) {
      thawing.passed(this.#chunks);
      await this.#mark({ atOnce: true });
      const step = thawing.step(object);
      if (this.#cold.mayAsk) await thawing.ask(step);
      else if (object.thaw.state !== "thawing") throw stillCold(this.#cold, [object], "What is in front was written.");
      if (!thawing.isReadable(object)) await thawing.wait(thawing.step(object));
    }
  }

  async end(): Promise<void> {
    await this.#mark({ atOnce: true, done: true });
  }

  async #mark({ atOnce, done = false }: { atOnce: boolean; done?: boolean }): Promise<void> {
    const at = this.#session.now();
    if (!atOnce && at.getTime() - this.#markedMs < MARK_EVERY_MS) return;
    this.#markedMs = at.getTime();
    await writeMark(this.#cold.state, this.#cold.name, { at, passed: this.#chunks, done });
  }
}
