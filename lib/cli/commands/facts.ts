import { printableLine } from "../printable.ts";

/** Labels and values, one pair a line, the values below each other. Values that are undefined are left out. */
export function renderFacts(facts: readonly (readonly [label: string, value: string | undefined])[]): string {
  const shown = facts.filter(([, value]) => value !== undefined);
  const width = Math.max(...shown.map(([label]) => label.length));
  return shown.map(([label, value]) => `${label.padEnd(width)}  ${printableLine(value ?? "")}\n`).join("");
}
