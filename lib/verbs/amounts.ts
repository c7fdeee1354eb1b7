/** Amounts in the sentences of errors and warnings. */

const GIB = 1024 ** 3;
const HOUR_MS = 3_600_000;

/** Bytes as billed: `1.5 GiB`, `under 0.1 GiB`. */
export function inGib(bytes: number): string {
  return bytes > 0 && bytes < GIB / 10 ? "under 0.1 GiB" : `${(bytes / GIB).toFixed(1)} GiB`;
}

/** A time that something takes at most: `5 minutes`, `48 hours`. */
export function atMost(ms: number): string {
  if (ms <= 0) return "at once";
  const [amount, unit] = ms < HOUR_MS ? [Math.ceil(ms / 60_000), "minute"] : [Math.ceil(ms / HOUR_MS), "hour"];
  return `within ${amount} ${unit}${amount === 1 ? "" : "s"}`;
}

/** A moment to the minute, in UTC: `2026-03-03 10:00 UTC`. */
export function utc(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** `1 brick`, `12 bricks`. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}
