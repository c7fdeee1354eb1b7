import { rebuild, type RebuildResult } from "../../verbs/mod.ts";
import { UsageError } from "../errors.ts";
import { damageCode } from "../exit_codes.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import type { Session } from "../session.ts";
import { renderRebuilt } from "./rebuilt_lines.ts";

/** `tarzan rebuild`: 4 when a part of the ledger cannot be read. */
export async function performRebuild(request: RequestOf<"rebuild">, session: Session): Promise<number> {
  const { fromCold, json, quiet } = request;
  if (fromCold !== undefined) {
    const { performRebuildFromCold } = await import("./rebuild_from_cold.ts");
    return await performRebuildFromCold({ ...request, fromCold }, session);
  }
  refuseColdOptions(request);
  const result = await rebuild(session);
  session.progress.done();
  const sound = result.problems.length === 0;
  if (json) session.stdout.print(rebuiltJson(result));
  else if (!quiet || !sound) session.stdout.print(renderRebuilt(result));
  return sound ? 0 : damageCode;
}

/** They would do nothing, and whoever gave them expects something else. */
function refuseColdOptions({ repositoryId, maxCost, wait }: RequestOf<"rebuild">): void {
  const given = { "--repository-id": repositoryId, "--max-cost": maxCost, "--wait": wait || undefined };
  const [name] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (name !== undefined) throw new UsageError(`${name} goes with --from-cold PLACE: nothing else costs or waits`);
}

/** The same as JSON, schema `tarzan.rebuild/1`. */
export function rebuiltJson({ bricks, chunks, domains, adopted, strangers, problems }: RebuildResult): string {
  return jsonLine("tarzan.rebuild/1", { domains, bricks, chunks, adopted, strangers, problems });
}
