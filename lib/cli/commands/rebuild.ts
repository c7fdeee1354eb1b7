import { rebuild, type RebuildResult } from "../../verbs/mod.ts";
import { damageCode } from "../exit_codes.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import { printableLine } from "../printable.ts";
import type { Session } from "../session.ts";
import { formatCount, formatCounted } from "../units.ts";
import { renderFacts } from "./facts.ts";

/** `tarzan rebuild`: 4 when a part of the ledger cannot be read. */
export async function performRebuild({ json, quiet }: RequestOf<"rebuild">, session: Session): Promise<number> {
  const result = await rebuild(session);
  session.progress.done();
  const sound = result.problems.length === 0;
  if (json) session.stdout.print(rebuiltJson(result));
  else if (!quiet || !sound) session.stdout.print(renderRebuilt(result));
  return sound ? 0 : damageCode;
}

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

/** The same as JSON, schema `tarzan.rebuild/1`. */
export function rebuiltJson({ bricks, chunks, domains, adopted, strangers, problems }: RebuildResult): string {
  return jsonLine("tarzan.rebuild/1", { domains, bricks, chunks, adopted, strangers, problems });
}
