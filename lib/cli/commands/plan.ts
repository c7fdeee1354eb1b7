import { formatUsd, type RestoreEstimate } from "../../glacier/mod.ts";
import { plan, type PlanResult } from "../../verbs/mod.ts";
import { damageCode } from "../exit_codes.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import type { Session } from "../session.ts";
import { formatBytes, formatCount, formatCounted, formatDuration, formatTime } from "../units.ts";
import { renderFacts } from "./facts.ts";
import { type Column, renderTable } from "./table.ts";

/** `tarzan plan`: 4 when bricks are nowhere to be found. */
export async function performPlan(request: RequestOf<"plan">, session: Session): Promise<number> {
  const { backup, paths, days, sameRegion, offline, json } = request;
  const result = await plan(session, { snapshot: backup, paths, days, sameRegion, offline });
  session.progress.done();
  session.stdout.print(json ? plannedJson(result) : renderPlan(result, session.now()));
  if (result.missing.length > 0) throw new Error(`Not in snapshot ${result.snapshot}: ${result.missing.join(", ")}`);
  if (result.lost.length === 0) return 0;
  session.warn(
    `${formatCounted(result.lost.length, "brick")} that this restore needs can be found nowhere, as far as is known ` +
      `(${result.lost[0]!.slice(0, 16)}…). "tarzan verify" says what that touches.`,
  );
  return damageCode;
}

/** What a restore would take, for people. */
export function renderPlan(result: PlanResult, now: Date): string {
  const { snapshot, incomplete, entries, hot, cold, restore, knowledge } = result;
  const facts = renderFacts([
    ["snapshot", snapshot],
    ["incomplete", incomplete],
    ["restores", entries === undefined ? "all of it" : formatCounted(entries, "entry", "entries")],
    [
      "here",
      hot.bricks === 0
        ? undefined
        : `${formatCounted(hot.bricks, "brick")} in ${hot.location}; reads ${formatBytes(hot.neededBytes)}`,
    ],
    ...cold.map((share): [string, string] => [
      "in cold storage",
      `${formatCounted(share.bricks, "brick")} in ${share.location} (${share.class}), ` +
      `${formatCounted(share.objects, "object")} of ${formatBytes(share.bytes)}; reads ${
        formatBytes(share.neededBytes)
      }`,
    ]),
    [
      "to be thawed",
      restore.cold.objects === 0
        ? "nothing"
        : `${formatBytes(restore.cold.bytes)}, ${restore.ratio.toFixed(1)} bytes for each byte that is read`,
    ],
    ["ledger read", ageOf(knowledge.ledgerReadAt, now)],
    ["bricks listed", ageOf(knowledge.bricksListedAt, now)],
    ...knowledge.prices.map((
      { asOf, region, source },
    ): [string, string] => ["prices", `${asOf}, ${region}: ${source}`]),
  ]);
  if (cold.length === 0) return facts;
  const refusals = restore.unavailable.map(({ tier, why }) => `No ${tier}: ${why}.\n`).join("");
  const note = "USD, estimated as if nothing were thawed yet" +
    (restore.choices.some(({ cost }) => cost.egress > 0) ? "; egress is what leaves the provider's network" : "") +
    ".\n";
  const vault = cold.some((share) => share.class === "VAULT")
    ? "A vault keeps copies for 24 hours: restore within those, or with extract --thaw --wait --window.\n"
    : "";
  return `${facts}\n${renderTable(restore.choices, columns(result.days))}${refusals}${note}${vault}`;
}

function columns(days: number): Column<RestoreEstimate>[] {
  const usd = (title: string, of: (cost: RestoreEstimate["cost"]) => number): Column<RestoreEstimate> => ({
    title,
    cell: ({ cost }) => formatUsd(of(cost)),
    right: true,
  });
  return [
    { title: "TIER", cell: ({ tier }) => tier ?? "none needed" },
    { title: "READABLE", cell: readableText },
    usd("RETRIEVAL", ({ retrieval }) => retrieval),
    usd("REQUESTS", ({ requests }) => requests),
    usd(`COPIES, ${formatCount(days)} D`, ({ copies }) => copies),
    usd("READS", ({ reads }) => reads),
    usd("EGRESS", ({ egress }) => egress),
    usd("TOTAL", ({ total }) => total),
  ];
}

function readableText({ readable: { mostMs } }: RestoreEstimate): string {
  return mostMs <= 0 ? "now" : `within ${formatDuration(mostMs)}`;
}

function ageOf(at: Date | undefined, now: Date): string {
  if (at === undefined) return "never by this machine";
  return `${formatTime(at)} (${formatDuration(Math.max(0, now.getTime() - at.getTime()))} ago)`;
}

/** What a restore would take as JSON, schema `tarzan.plan/1`. */
export function plannedJson(result: PlanResult): string {
  const { restore, knowledge } = result;
  return jsonLine("tarzan.plan/1", {
    snapshot: result.snapshot,
    incomplete: result.incomplete,
    entries: result.entries,
    missing: result.missing,
    lost: result.lost,
    hot: result.hot,
    cold: result.cold,
    days: result.days,
    thaw: restore.cold,
    restoredBytes: restore.restoredBytes,
    ratio: restore.ratio,
    choices: restore.choices,
    unavailable: restore.unavailable,
    ledgerReadAt: knowledge.ledgerReadAt,
    bricksListedAt: knowledge.bricksListedAt,
    prices: knowledge.prices,
  });
}
