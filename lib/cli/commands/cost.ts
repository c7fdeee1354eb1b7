import { formatUsd } from "../../glacier/mod.ts";
import { cost, type CostPlace, type CostResult } from "../../verbs/mod.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import type { Session } from "../session.ts";
import { formatBytes, formatCount, formatTime } from "../units.ts";
import { renderTable } from "./table.ts";

/** `tarzan cost`. */
export async function performCost({ json }: RequestOf<"cost">, session: Session): Promise<number> {
  const result = await cost(session);
  session.progress.done();
  session.stdout.print(json ? costJson(result) : renderCost(result));
  return 0;
}

/** What the repository costs, for people. */
export function renderCost({ hot, cold, month, earlyDeletion, prices }: CostResult): string {
  const table = renderTable<CostPlace>([...hot, ...cold], [
    { title: "PLACE", cell: ({ location }) => location },
    { title: "CLASS", cell: (place) => place.class ?? "your own disk" },
    { title: "OBJECTS", cell: ({ objects }) => formatCount(objects), right: true },
    { title: "SIZE", cell: ({ bytes }) => formatBytes(bytes), right: true },
    { title: "USD A MONTH", cell: (place) => place.class ? formatUsd(place.month.total) : "", right: true },
    { title: "USD IF REMOVED NOW", cell: (place) => place.class ? formatUsd(place.earlyDeletion) : "", right: true },
    { title: "FREE FROM", cell: ({ freeAt }) => freeAt === undefined ? "" : formatTime(freeAt) },
  ]);
  const sums = `Estimate for all of it: ${formatUsd(month)} USD a month; removing it now would cost ` +
    (earlyDeletion === 0 ? "nothing more.\n" : `${formatUsd(earlyDeletion)} USD more.\n`);
  const sources = prices.map(({ asOf, region, source }) => `Prices of ${asOf}, ${region}: ${source}.\n`);
  return `${table}${sums}${sources.join("")}`;
}

/** What the repository costs as JSON, schema `tarzan.cost/1`. */
export function costJson({ hot, cold, month, earlyDeletion, prices }: CostResult): string {
  return jsonLine("tarzan.cost/1", { month, earlyDeletion, hot, cold, prices });
}
