/**
 * Segments to bytes in order: blocks are opened ahead of need, on the pool, while those before them are written. The
 * look-ahead is bounded by bytes, writing is awaited: a slow reader at the other end stops the reading here.
 */
import { Ahead, type OutSegment } from "./ahead.ts";
import type { BlockReader } from "./block_reader.ts";
import { Gather, type Output } from "./gather.ts";

/** Writes after which signals are listened for. */
const WRITES_A_TURN = 16;

/** Writes all segments, which come in runs, in order; the number of bytes. Where one fails, all before it are written. */
export async function copyOut(
  runs: AsyncIterable<readonly OutSegment[]>,
  options: { reader: BlockReader; output: Output; signal?: AbortSignal },
): Promise<number> {
  const { reader, signal } = options;
  const output = signal === undefined ? options.output : interruptible(options.output, signal);
  const gather = new Gather(output);
  const ahead = new Ahead(reader, gather);
  let failure: { error: unknown } | undefined;
  try {
    for await (const _ of untilFailure(fill(ahead, runs), (error) => failure = { error })) {
      while (ahead.isFull) await ahead.writeSome();
      signal?.throwIfAborted();
    }
    const bytes = await ahead.finish();
    if (failure !== undefined) throw failure.error;
    return bytes;
  } finally {
    ahead.release();
    await gather.settled();
  }
}

/** Lets segments wait; pauses where there are enough of them, and at the end of a run. */
async function* fill(ahead: Ahead, runs: AsyncIterable<readonly OutSegment[]>): AsyncGenerator<void> {
  for await (const run of runs) {
    for (const segment of run) {
      ahead.add(segment);
      if (ahead.isFull) yield;
    }
    yield;
  }
}

/** The items up to where they break off. */
async function* untilFailure<T>(items: AsyncIterable<T>, onFailure: (error: unknown) => void): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    onFailure(error);
  }
}

/** An output that does not wait for a reader who stalls once the signal has come. */
function interruptible(output: Output, signal: AbortSignal): Output {
  let writes = 0;
  return async (bytes) => {
    // Where nothing ever waits, all of it in memory and the output only a hash, nobody would hear the signal come.
    if (++writes % WRITES_A_TURN === 0) await new Promise((resolve) => setTimeout(resolve));
    const { promise, reject } = Promise.withResolvers<never>();
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
    try {
      signal.throwIfAborted();
      await Promise.race([output(bytes), promise]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  };
}
