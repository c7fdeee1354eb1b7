/** How numbers are written for people and read from them. JSON output never uses these: it has plain numbers. */

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** A number of bytes as people read it: `512 B`, `64 KiB`, `1.4 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.95 would round to "1024.0 KiB"; the next unit's "1 MiB" is meant.
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, "");
  return `${digits} ${units[unit]}`;
}

/** A whole number with separators: `67,960`. */
export function formatCount(count: number): string {
  return Math.trunc(count).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A number of things: `1 brick`, `12 bricks`. */
export function formatCounted(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A span of time in the two largest units that say something: `450 ms`, `3.2 s`, `4 min 05 s`, `2 h 07 min`, `3 d 04 h`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(Math.max(0, ms))} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(seconds, 60, ["min", "s"]);
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return pair(minutes, 60, ["h", "min"]);
  return pair(Math.round(minutes / 60), 24, ["d", "h"]);
}

function pair(amount: number, size: number, [large, small]: readonly [string, string]): string {
  return `${Math.floor(amount / size)} ${large} ${String(amount % size).padStart(2, "0")} ${small}`;
}

/** Bytes in a time as a rate: `118 MiB/s`; `-` when no time has passed. */
export function formatRate(bytes: number, ms: number): string {
  return ms > 0 ? `${formatBytes(Math.round(bytes * 1000 / ms))}/s` : "-";
}

/** A share in whole percent. It is rounded down, so that `100 %` means all of it. */
export function formatPercent(part: number, whole: number): string {
  return `${whole > 0 ? Math.floor(Math.min(1, part / whole) * 100) : 100} %`;
}

/** A moment in UTC, to the second: `2026-08-06T12:00:00Z`. */
export function formatTime(at: Date): string {
  return `${at.toISOString().slice(0, -".000Z".length)}Z`;
}

const multipliers: ReadonlyMap<string, number> = new Map(
  ["k", "m", "g", "t"].flatMap((letter, index) => {
    const multiplier = 1024 ** (index + 1);
    return [[letter, multiplier], [`${letter}ib`, multiplier]] as const;
  }),
);

/** Reads `128MiB`, `64K`, `1.5 GiB` or plain bytes; the error's message says what would have been right. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const [number, unit] = [match?.[1], match?.[2]?.toLowerCase()];
  if (number === undefined || unit === undefined) {
    throw new SyntaxError(`"${text}" is not a size; write for example 64KiB, 128MiB or 1GiB`);
  }
  if (/^[kmgt]b$/.test(unit)) {
    const letter = unit.charAt(0).toUpperCase();
    throw new SyntaxError(`"${text}" could mean 1000s or 1024s; write ${number}${letter}iB (1024s)`);
  }
  const multiplier = unit === "" || unit === "b" ? 1 : multipliers.get(unit);
  if (multiplier === undefined) {
    throw new SyntaxError(`"${text}" has an unknown unit; write KiB, MiB or GiB (K, M and G mean the same)`);
  }
  const bytes = Number(number) * multiplier;
  if (!Number.isSafeInteger(bytes)) throw new SyntaxError(`"${text}" is not a whole number of bytes`);
  return bytes;
}

/** Reads `10%`, `0.5 %` or `10` as a number of percent above 0 and at most 100. */
export function parsePercent(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text.trim());
  const percent = match ? Number(match[1]) : NaN;
  if (!(percent > 0 && percent <= 100)) {
    throw new SyntaxError(`"${text}" is not a percentage; write for example 10%, more than 0% and at most 100%`);
  }
  return percent;
}
