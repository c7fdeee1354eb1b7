/** A sink that writes down what a Splitter says, and checks at every call that it keeps its word. */

import assert from "node:assert/strict";
import { printableName, RAW_LIMIT_BYTES, type SplitStatus, Splitter, type TarSink } from "../../lib/tar/mod.ts";

/** What happened, with offsets in the stream. Neighbouring pieces are joined, so how the input was cut does not show. */
export type Event =
  | { kind: "raw"; from: number; to: number; begins: boolean }
  | { kind: "entry"; name: string; size: number }
  | { kind: "body"; from: number; to: number; named: boolean; ended: boolean };

/** One entry with what belongs to it. */
export interface Found {
  name: string;
  size: number;
  /** The raw header bytes. */
  head: Uint8Array;
  /** The body, cut short if the stream was. */
  body: Uint8Array;
  bodyFrom: number | undefined;
}

/** The outcome of one split. */
export interface Recording {
  input: Uint8Array;
  events: Event[];
  status: SplitStatus;
}

/** assert.ok costs microseconds, and this is asked millions of times. */
function check(condition: boolean, message: string): asserts condition {
  if (!condition) assert.fail(message);
}

class Recorder implements TarSink {
  readonly events: Event[] = [];
  /** Where in the stream offset 0 of the running call stands. */
  base = 0;
  /** Everything in front of this was handed out. */
  position = 0;
  #expected = 0;
  #bodyOpen = false;

  raw(from: number, to: number, begins: boolean): void {
    check(!this.#bodyOpen, "raw inside a body");
    check(to - from <= RAW_LIMIT_BYTES, "too much raw in one call");
    const piece = this.#advance(from, to);
    const last = this.events.at(-1);
    if (last?.kind === "raw" && !begins) last.to = piece.to;
    else this.events.push({ kind: "raw", ...piece, begins });
  }

  entry(name: Uint8Array, size: number): void {
    check(!this.#bodyOpen, "entry inside a body");
    check(this.events.at(-1)?.kind === "raw", "an entry without headers");
    this.events.push({ kind: "entry", name: printableName(name), size });
    this.#expected = size;
  }

  body(from: number, to: number): void {
    const piece = this.#advance(from, to);
    const last = this.events.at(-1);
    if (this.#bodyOpen) {
      check(last?.kind === "body", "a body that was not begun");
      last.to = piece.to;
    } else {
      this.events.push({ kind: "body", ...piece, named: this.#expected > 0, ended: false });
      this.#bodyOpen = true;
    }
    if (this.#expected > 0) {
      const body = this.events.at(-1) as Event & { kind: "body" };
      check(body.to - body.from <= this.#expected, "a body longer than announced");
    }
  }

  bodyEnd(): void {
    const last = this.events.at(-1);
    check(this.#bodyOpen && last?.kind === "body", "bodyEnd without a body");
    last.ended = true;
    this.#bodyOpen = false;
    this.#expected = 0;
  }

  finish(length: number): void {
    check(this.position === length, "not all was handed out");
    check(!this.#bodyOpen, "a body was left open");
  }

  #advance(from: number, to: number): { from: number; to: number } {
    check(to > from, "an empty range");
    check(this.base + from === this.position, "a gap or an overlap");
    this.position = this.base + to;
    return { from: this.base + from, to: this.base + to };
  }
}

/** Splits the input as a caller would who reads it in pieces; `nextLength` says how long each one is. */
export function record(input: Uint8Array, nextLength: () => number = () => Infinity): Recording {
  const recorder = new Recorder();
  const splitter = new Splitter();
  let consumed = 0;
  let read = 0;
  let final = false;
  while (!final) {
    read = Math.min(input.length, read + nextLength());
    final = read === input.length;
    // The array ends where the piece does, and begins anywhere: nothing outside the range may be looked at.
    const margin = Math.min(consumed, 7);
    const piece = input.subarray(consumed - margin, read);
    recorder.base = consumed - margin;
    const upTo = splitter.split(piece, margin, piece.length, final, recorder);
    consumed += upTo - margin;
    check(recorder.position === consumed, "consumed and handed out differ");
    check(read - consumed < 512, "a block was left unread");
  }
  recorder.finish(input.length);
  return { input, events: recorder.events, status: splitter.status };
}

/** The entries of a recording. */
export function entriesOf({ input, events }: Recording): Found[] {
  const found: Found[] = [];
  let head: Uint8Array[] = [];
  for (const event of events) {
    if (event.kind === "raw") {
      if (event.begins) head = [];
      head.push(input.subarray(event.from, event.to));
    } else if (event.kind === "entry") {
      found.push({
        name: event.name,
        size: event.size,
        head: concat(...head),
        body: new Uint8Array(0),
        bodyFrom: undefined,
      });
    } else if (event.named) {
      Object.assign(found.at(-1)!, { body: input.subarray(event.from, event.to), bodyFrom: event.from });
    }
  }
  return found;
}

/** All bytes that came out as raw, in order. */
export function rawOf({ input, events }: Recording): Uint8Array {
  return concat(...events.flatMap((event) => event.kind === "raw" ? [input.subarray(event.from, event.to)] : []));
}

/** The nameless bodies of a recording. */
export function namelessOf({ input, events }: Recording): Uint8Array[] {
  return events.flatMap((event) => event.kind === "body" && !event.named ? [input.subarray(event.from, event.to)] : []);
}

/** One array after the other. */
export function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Lengths of pieces, mostly short, that follow from the seed. */
export function randomLengths(seed: number): () => number {
  const random = randomFrom(seed);
  return () => 1 + Math.floor(random() ** 3 * 3000);
}
