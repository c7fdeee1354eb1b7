/** Text for people: sizes, times, tables. */
const MIB = 1024 * 1024;

/** `1,434 MiB`; below 10 MiB with one digit behind the point. */
export function mebibytes(bytes: number): string {
  const digits = bytes < 10 * MIB ? 1 : 0;
  return (bytes / MIB).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }) + " MiB";
}

/** `3.42 s` */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 100_000 ? 2 : 0)} s`;
}

/** The middle one of some numbers; of an even count the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A Markdown table, whose columns line up. The first column is text, the others are numbers. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(4, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    "| " + cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join(" | ") + " |";
  const rule = "| " + widths.map((width, i) => i === 0 ? "-".repeat(width) : "-".repeat(width - 1) + ":").join(" | ") +
    " |";
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join("\n");
}

/** Says something on the terminal while results go to standard output. */
export function say(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text + "\n"));
}
