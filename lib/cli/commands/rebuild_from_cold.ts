import { formatUsd } from "../../glacier/mod.ts";
import { type FromColdResult, rebuildFromCold } from "../../verbs/mod.ts";
import { damageCode, thawCode } from "../exit_codes.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import { printableLine } from "../printable.ts";
import type { Session } from "../session.ts";
import { formatBytes, formatCount, formatCounted, formatTime } from "../units.ts";
import { renderFacts } from "./facts.ts";
import { renderRebuilt } from "./rebuilt_lines.ts";

/** `tarzan rebuild --from-cold`: 7 while something is awaited, 4 when not everything was as it should be. */
export async function performRebuildFromCold(
  request: RequestOf<"rebuild"> & { readonly fromCold: string },
  session: Session,
): Promise<number> {
  const { fromCold: from, repositoryId, tier, days, maxCost, sameRegion, wait } = request;
  const result = await rebuildFromCold(session, { from, repositoryId, tier, days, maxCost, sameRegion, wait });
  session.progress.done();
  const sound = result.problems.length === 0 && (result.rebuilt?.problems.length ?? 0) === 0;
  if (request.json) session.stdout.print(fromColdJson(result));
  else if (!request.quiet || !sound || result.waiting !== undefined) session.stdout.print(renderFromCold(result));
  if (result.waiting !== undefined) return thawCode;
  return sound ? 0 : damageCode;
}

/** How far it is, for people. */
export function renderFromCold(result: FromColdResult): string {
  const { from, location, bundles, bytes, unpacked, cost, problems, doubtfulSlots, rebuilt, placed, orphans } = result;
  const facts = renderFacts([
    ["cold storage", from],
    ["repository", location],
    [
      "bundles",
      bundles === 0 ? undefined : `${formatCount(unpacked)} of ${formatCount(bundles)}, ${formatBytes(bytes)}`,
    ],
    ["costs", cost === undefined ? undefined : `${formatUsd(cost.total)} USD, estimated`],
    ["waiting", waitingText(result)],
    [
      "found",
      placed ? `${formatCounted(placed, "brick")} that the ledger did not place there; on record now` : undefined,
    ],
    [
      "unknown",
      orphans?.length
        ? `${
          formatCounted(orphans.length, "brick")
        } there that no ledger tells of: left by a run that broke off, or of others`
        : undefined,
    ],
  ]);
  return [
    ...problems.map((problem) => `bundles: ${printableLine(problem)}\n`),
    ...doubtfulSlots.map((slot) =>
      `key slot ${printableLine(slot)} is not in the newest bundle: if you had removed it, remove it again\n`
    ),
    facts,
    rebuilt === undefined ? "" : renderRebuilt(rebuilt),
  ].join("");
}

function waitingText({ waiting }: FromColdResult): string | undefined {
  if (waiting === undefined) return undefined;
  const what = waiting.what === "inventory" ? "the vault makes an inventory" : "copies are being made";
  const when = waiting.readyAt === undefined ? "in a day or so" : `after ${formatTime(waiting.readyAt)}`;
  return `${what}; run the same command again ${when}`;
}

/** The same as JSON, schema `tarzan.rebuild-from-cold/1`. */
export function fromColdJson(result: FromColdResult): string {
  const { rebuilt } = result;
  return jsonLine("tarzan.rebuild-from-cold/1", {
    from: result.from,
    location: result.location,
    waiting: result.waiting,
    bundles: result.bundles,
    bytes: result.bytes,
    unpacked: result.unpacked,
    cost: result.cost,
    problems: result.problems,
    doubtfulSlots: result.doubtfulSlots,
    placed: result.placed,
    orphans: result.orphans,
    rebuilt: rebuilt && {
      domains: rebuilt.domains,
      bricks: rebuilt.bricks,
      chunks: rebuilt.chunks,
      adopted: rebuilt.adopted,
      strangers: rebuilt.strangers,
      problems: rebuilt.problems,
    },
  });
}
