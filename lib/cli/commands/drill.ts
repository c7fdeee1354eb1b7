import { formatUsd } from "../../glacier/mod.ts";
import { drill, type DrillResult } from "../../verbs/mod.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import type { Session } from "../session.ts";
import { formatBytes, formatCounted, formatTime } from "../units.ts";
import { renderFacts } from "./facts.ts";

/** `tarzan drill`: 7 while cold storage takes its time; the next run goes on. */
export async function performDrill(request: RequestOf<"drill">, session: Session): Promise<number> {
  const { maxCost, files, tier, days, sameRegion, wait, json, quiet } = request;
  const result = await drill(session, { maxCost, files, tier, days, sameRegion, wait });
  session.progress.done();
  if (json) session.stdout.print(drilledJson(result));
  else if (!quiet) session.stdout.print(renderDrill(result));
  return 0;
}

/** What was restored, for people. */
export function renderDrill({ snapshot, files, bytes, cost, startedAt, continued, log }: DrillResult): string {
  return renderFacts([
    ["snapshot", snapshot],
    ...files.map((name, i): [string, string] => [i === 0 ? "restored" : "", name]),
    ["as they were", `${formatCounted(files.length, "file")}, ${formatBytes(bytes)}`],
    ["begun", continued ? formatTime(startedAt) : undefined],
    ["estimate", cost === 0 ? undefined : `${formatUsd(cost)} USD`],
    ["log", log],
  ]);
}

/** What was restored as JSON, schema `tarzan.drill/1`. */
export function drilledJson({ snapshot, files, bytes, cost, startedAt, continued, log }: DrillResult): string {
  return jsonLine("tarzan.drill/1", { snapshot, files, bytes, cost, startedAt, continued, log });
}
