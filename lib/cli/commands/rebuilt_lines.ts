import type { RebuildResult } from "../../verbs/mod.ts";
import { printableLine } from "../printable.ts";
import { formatCount, formatCounted } from "../units.ts";
import { renderFacts } from "./facts.ts";

/** What the catalogue holds now, for people. */
export function renderRebuilt({ bricks, chunks, domains, adopted, strangers, problems }: RebuildResult): string {
  const some = (names: readonly string[], what: string) =>
    names.length === 0 ? undefined : `${formatCounted(names.length, "brick")} ${what}`;
  const facts = renderFacts([
    ["domains", formatCount(domains)],
    ["bricks", formatCount(bricks)],
    ["chunks", formatCount(chunks)],
    ["adopted", some(adopted, "that no ledger told of; on record now")],
    ["strangers", some(strangers, "that this key cannot read; left alone")],
  ]);
  return problems.map((problem) => `ledger: ${printableLine(problem)}\n`).join("") + facts;
}
