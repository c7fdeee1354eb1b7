/** Where the bytes of objects and archives are: in memory, or in files of a folder when they are many. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";

/** Bytes that no longer change. */
export interface Body {
  readonly length: number;
  read(from: number, length: number): AsyncIterable<Uint8Array>;
  /** Frees what it takes; a read that has begun goes on. */
  drop(): void;
}

/** Bytes that are coming in. */
export interface BodyWriter {
  /** Takes a copy. */
  write(bytes: Uint8Array): void;
  end(): Body;
  abandon(): void;
}

/** Makes writers. */
export type Bodies = () => BodyWriter;

const pieceBytes = 1024 * 1024;

/** Bodies in memory. */
export function inMemory(): BodyWriter {
  const pieces: Uint8Array[] = [];
  let last = new Uint8Array(0);
  let used = 0;
  let length = 0;
  const flush = () => {
    if (used > 0) pieces.push(last.subarray(0, used));
    used = 0;
  };
  return {
    write(bytes) {
      for (let at = 0; at < bytes.length;) {
        if (used === last.length || used === 0) {
          flush();
          last = new Uint8Array(Math.min(pieceBytes, Math.max(4096, bytes.length - at)));
        }
        const count = Math.min(last.length - used, bytes.length - at);
        last.set(bytes.subarray(at, at + count), used);
        [used, at, length] = [used + count, at + count, length + count];
      }
    },
    end() {
      flush();
      const kept = { length, pieces };
      const read = async function* (from: number, count: number) {
        let at = 0;
        for (const piece of kept.pieces) {
          const [start, end] = [Math.max(from, at), Math.min(from + count, at + piece.length)];
          if (start < end) yield piece.subarray(start - at, end - at);
          at += piece.length;
        }
      };
      return { length, read, drop: () => void (kept.pieces = []) };
    },
    abandon: () => void (pieces.length = 0),
  };
}

/** Bodies as files of a folder. */
export function inFolder(folder: string): Bodies {
  return () => {
    const path = join(folder, `${randomUUID()}.body`);
    const file = Deno.openSync(path, { write: true, createNew: true });
    let length = 0;
    return {
      write(bytes) {
        for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
        length += bytes.length;
      },
      end() {
        file.close();
        return { length, read: (from, count) => readFile(path, from, count), drop: () => remove(path) };
      },
      abandon() {
        file.close();
        remove(path);
      },
    };
  };
}

/** May be called again: what is removed already stays removed. */
function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function* readFile(path: string, from: number, length: number): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path);
  await file.seek(from, Deno.SeekMode.Start);
  const buffer = new Uint8Array(Math.min(pieceBytes, length));
  for (let left = length; left > 0;) {
    const count = await file.read(buffer.subarray(0, Math.min(left, buffer.length)));
    if (count === null) throw new Error(`Cannot read ${path}: it ends ${left} bytes early`);
    yield buffer.subarray(0, count);
    left -= count;
  }
}

/** Several bodies, one after the other, as one; nothing is copied. */
export function joined(bodies: readonly Body[]): Body {
  const read = async function* (from: number, length: number) {
    let at = 0;
    for (const body of bodies) {
      const [start, end] = [Math.max(from, at), Math.min(from + length, at + body.length)];
      if (start < end) yield* body.read(start - at, end - start);
      at += body.length;
    }
  };
  const length = bodies.reduce((sum, body) => sum + body.length, 0);
  return { length, read, drop: () => bodies.forEach((body) => body.drop()) };
}

/** A range of a body, as an answer takes it. */
export function partOf(
  body: Body,
  from: number,
  length: number,
): { length: number; chunks(): AsyncIterable<Uint8Array> } {
  return { length, chunks: () => body.read(from, length) };
}
