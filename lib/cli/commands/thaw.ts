import { formatUsd } from "../../glacier/mod.ts";
import { thaw, type ThawResult } from "../../verbs/mod.ts";
import { thawCode } from "../exit_codes.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import type { Session } from "../session.ts";
import { formatBytes, formatCount, formatCounted, formatTime } from "../units.ts";
import { renderFacts } from "./facts.ts";

/** `tarzan thaw`: 7 until all of it can be read. */
export async function performThaw(request: RequestOf<"thaw">, session: Session): Promise<number> {
  const { backup, paths, tier, days, maxCost, windowBytes, sameRegion, wait, json, quiet } = request;
  const choice = { tier, days, maxCost, windowBytes, sameRegion };
  const result = await thaw(session, { snapshot: backup, paths, wait, ...choice });
  session.progress.done();
  if (json) session.stdout.print(thawedJson(result));
  else if (!quiet || !result.ready) session.stdout.print(renderThaw(result));
  return result.ready ? 0 : thawCode;
}

/** How far a thaw is, for people. */
export function renderThaw(result: ThawResult): string {
  const { objects, bytes, asked, renewed, readable, thawing, later, ready, readyAt, readableUntil, cost } = result;
  const unless = (isNothing: boolean, text: () => string) => isNothing ? undefined : text();
  return renderFacts([
    ["snapshot", result.snapshot],
    [
      "in cold storage",
      objects === 0 ? "nothing that is needed" : `${formatCounted(objects, "object")}, ${formatBytes(bytes)}`,
    ],
    ["asked for now", unless(objects === 0, () => formatCount(asked))],
    ["prolonged", unless(renewed === 0, () => formatCount(renewed))],
    ["readable", unless(objects === 0, () => formatCount(readable))],
    ["on the way", unless(thawing === 0, () => formatCount(thawing))],
    ["later", unless(later === 0, () => `${formatCount(later)}, when what is in front of them has been restored`)],
    ["estimate", unless(cost.total === 0, () => `${formatUsd(cost.total)} USD, with the restore`)],
    ["readable by", readyAt && `${formatTime(readyAt)}, at the latest`],
    ["readable until", readableUntil && formatTime(readableUntil)],
    ["next", nextStep(ready, thawing)],
  ]);
}

function nextStep(ready: boolean, thawing: number): string {
  if (ready) return "tarzan extract, with the same INDEX and PATHs";
  return thawing > 0 ? "run this again, or add --wait" : "tarzan extract --thaw --wait --window, or run this beside it";
}

/** How far a thaw is as JSON, schema `tarzan.thaw/1`. */
export function thawedJson(result: ThawResult): string {
  return jsonLine("tarzan.thaw/1", {
    snapshot: result.snapshot,
    ready: result.ready,
    objects: result.objects,
    bytes: result.bytes,
    asked: result.asked,
    renewed: result.renewed,
    readable: result.readable,
    thawing: result.thawing,
    later: result.later,
    readyAt: result.readyAt,
    readableUntil: result.readableUntil,
    cost: result.cost,
  });
}
