/**
 * What a progress line knows and how it looks, without a clock or a terminal: the state is advanced with times that the
 * caller gives, and rendering is a pure function, so both are tested as values and strings.
 */
import { formatBytes, formatCount, formatCounted, formatDuration, formatPercent, formatRate } from "./units.ts";

/** What a command tells about how far it is. Numbers grow within a phase; a new phase starts them again. */
export interface ProgressFields {
  /** What is being done, in a word or two: `reading`, `checking bricks`. */
  readonly phase: string;
  readonly bytesDone?: number;
  /** Known only where the amount of work is known in advance; brings the percentage and the time left. */
  readonly bytesTotal?: number;
  /** How many of a known number of things are done, where they have no length that matters. */
  readonly itemsDone?: number;
  readonly itemsTotal?: number;
  readonly entries?: number;
  /** Bytes written to the repository so far. */
  readonly storedBytes?: number;
}

/** How commands report progress. Call `update` as often as convenient: drawing is throttled. */
export interface Progress {
  update(fields: ProgressFields): void;
  /** The work is over: removes the line. */
  done(): void;
}

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** Everything a progress line is drawn from. */
export interface ProgressState {
  readonly phaseStartedMs: number;
  readonly nowMs: number;
  readonly fields: ProgressFields;
  /** Bytes done at moments of the last seconds, oldest first, for a rate that follows what is happening now. */
  readonly samples: readonly Sample[];
}

const windowMs = 10_000;
const sampleEveryMs = 250;

/** The state when a phase begins. */
export function beginProgress(fields: ProgressFields, nowMs: number): ProgressState {
  return { phaseStartedMs: nowMs, nowMs, fields, samples: [{ atMs: nowMs, bytes: fields.bytesDone ?? 0 }] };
}

/** The state after another report. */
export function advanceProgress(state: ProgressState, fields: ProgressFields, nowMs: number): ProgressState {
  const bytes = fields.bytesDone ?? 0;
  const last = state.samples.at(-1);
  if (fields.phase !== state.fields.phase || last === undefined || bytes < last.bytes) {
    return beginProgress(fields, nowMs);
  }
  if (nowMs - last.atMs < sampleEveryMs) return { ...state, nowMs, fields };
  const samples = [...state.samples, { atMs: nowMs, bytes }];
  // One sample older than the window is kept, so that the rate always spans the whole window.
  const firstInside = samples.findIndex((sample) => sample.atMs >= nowMs - windowMs);
  return { ...state, nowMs, fields, samples: samples.slice(Math.max(0, firstInside - 1)) };
}

/** Bytes a second over the last ten seconds; undefined until half a second has been seen. */
export function currentRate(state: ProgressState): number | undefined {
  const oldest = state.samples[0];
  const elapsedMs = oldest ? state.nowMs - oldest.atMs : 0;
  if (!oldest || elapsedMs < 500 || state.fields.bytesDone === undefined) return undefined;
  return (state.fields.bytesDone - oldest.bytes) * 1000 / elapsedMs;
}

/** Milliseconds until the end at the current rate, where the total is known. */
export function remainingMs(state: ProgressState): number | undefined {
  const { bytesDone, bytesTotal } = state.fields;
  const rate = currentRate(state);
  if (bytesDone === undefined || bytesTotal === undefined || !rate) return undefined;
  return Math.max(0, bytesTotal - bytesDone) * 1000 / rate;
}

/** The line for a terminal that is `columns` wide: what matters least is left out until it fits. */
export function renderProgress(state: ProgressState, columns: number): string {
  const parts = progressParts(state);
  const room = Math.max(1, columns - 1); // the last column stays free: writing there makes some terminals wrap
  for (let rank = Math.max(...parts.map((part) => part.rank)); rank > 0; rank--) {
    const line = joinParts(parts.filter((part) => part.rank <= rank));
    if (line.length <= room) return line;
  }
  return state.fields.phase.slice(0, room);
}

interface Part {
  readonly text: string;
  /** 1 is what is dropped last. */
  readonly rank: number;
}

function progressParts(state: ProgressState): Part[] {
  const { phase, bytesDone, bytesTotal, itemsDone, itemsTotal, entries, storedBytes } = state.fields;
  const rate = currentRate(state);
  const leftMs = remainingMs(state);
  const parts: Part[] = [{ text: phase, rank: 1 }];
  if (bytesDone !== undefined && bytesTotal !== undefined) {
    parts.push({ text: formatPercent(bytesDone, bytesTotal), rank: 1 });
    parts.push({ text: `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`, rank: 4 });
  } else if (bytesDone !== undefined) {
    parts.push({ text: formatBytes(bytesDone), rank: 1 });
  }
  if (itemsDone !== undefined && itemsTotal !== undefined) {
    parts.push({ text: `${formatCount(itemsDone)} of ${formatCount(itemsTotal)}`, rank: 1 });
  }
  if (rate !== undefined) parts.push({ text: formatRate(rate, 1000), rank: 3 });
  if (entries !== undefined) {
    parts.push({ text: formatCounted(entries, "entry", "entries"), rank: 6 });
  }
  if (storedBytes !== undefined) parts.push({ text: `${formatBytes(storedBytes)} stored`, rank: 5 });
  if (leftMs !== undefined) parts.push({ text: `${formatDuration(leftMs)} left`, rank: 2 });
  else if (bytesTotal === undefined) parts.push({ text: formatDuration(state.nowMs - state.phaseStartedMs), rank: 7 });
  return parts;
}

function joinParts(parts: readonly Part[]): string {
  return parts.map((part) => part.text).join("  ");
}
