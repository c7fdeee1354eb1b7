import { formatUsd } from "../../glacier/mod.ts";
import { glacierUpload, type GlacierUploadResult } from "../../verbs/mod.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import type { Session } from "../session.ts";
import { formatBytes, formatCount, formatCounted } from "../units.ts";
import { renderFacts } from "./facts.ts";

/** `tarzan glacier-upload`. */
export async function performGlacierUpload(request: RequestOf<"glacier-upload">, session: Session): Promise<number> {
  const { to, dryRun, dropLocal, parallel, json, quiet } = request;
  const result = await glacierUpload(session, { to, dryRun, dropLocal, parallel });
  session.progress.done();
  if (json) session.stdout.print(uploadedJson(result));
  else if (dryRun || !quiet) session.stdout.print(renderUploaded(result));
  return 0;
}

/** What was sent, or would be, for people. */
export function renderUploaded(result: GlacierUploadResult): string {
  const { location, dryRun, objects, bundles, bytes, waiting, estimate, dropped } = result;
  const bundled = bundles === 0 ? "" : `, ${formatCounted(bundles, "bundle")} among them`;
  const sent = `${formatCounted(objects, "object")}${bundled}: ${formatBytes(bytes)}`;
  const { cost, monthly, leastStorage } = estimate;
  return renderFacts([
    ["cold storage", `${location} (${result.class})`],
    [dryRun ? "would be sent" : "sent", objects === 0 ? "nothing: everything is there" : sent],
    [
      "waiting",
      waiting.bricks === 0
        ? undefined
        : `${formatCounted(waiting.bricks, "small brick")}, ${formatBytes(waiting.bytes)}: until there are more`,
    ],
    [
      "costs",
      objects === 0 ? undefined : `${formatUsd(cost.total)} USD once, ${formatUsd(monthly.cost.total)} USD a month`,
    ],
    ["at least", objects === 0 ? undefined : `${formatUsd(leastStorage)} USD for storage, however soon it is removed`],
    [
      "removed here",
      dropped === undefined ? undefined : `${formatCounted(dropped.bricks, "brick")}, ${formatBytes(dropped.bytes)}`,
    ],
    ["kept here", keptLine(dropped)],
  ]);
}

function keptLine(dropped: GlacierUploadResult["dropped"]): string | undefined {
  const kept = (dropped?.unconfirmed ?? 0) + (dropped?.refused ?? 0);
  return kept === 0 ? undefined : `${formatCount(kept)} bricks that could have been removed`;
}

/** The same as JSON, schema `tarzan.glacier-upload/1`. */
export function uploadedJson(result: GlacierUploadResult): string {
  const { cost, monthly, leastStorage, requests } = result.estimate;
  return jsonLine("tarzan.glacier-upload/1", {
    location: result.location,
    class: result.class,
    dryRun: result.dryRun,
    objects: result.objects,
    bundles: result.bundles,
    bytes: result.bytes,
    waiting: result.waiting,
    elsewhere: result.elsewhere,
    damaged: result.damaged,
    cost: { requests, once: cost.total, monthly: monthly.cost.total, leastStorage },
    dropped: result.dropped,
  });
}
