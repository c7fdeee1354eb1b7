/** Lists that come in pages: `limit`, `marker`, and a Marker that is null at the end. */
import { type Reply, wholeNumber } from "../call.ts";
import { textBody } from "../http/answer.ts";
import { invalid, type VaultCall } from "./call.ts";

/** The rows of this page, and the marker of the next. A page has 50 rows at most, whatever `limit` says. */
export function pageOf<Row>(call: VaultCall, rows: readonly Row[], options: { usual?: number } = {}) {
  const usual = options.usual ?? 50;
  const bounds = { name: "limit", from: 1, to: 1000, code: "InvalidParameterValueException" };
  const limit = Math.min(usual, wholeNumber(call.query.get("limit") ?? String(usual), bounds));
  const marker = call.query.get("marker");
  const from = marker === undefined ? 0 : Number(atobOr(marker).replace(/^row /, ""));
  if (!Number.isInteger(from) || from < 0 || from > rows.length) throw invalid(`Invalid marker: ${marker}`);
  const next = from + limit;
  return { rows: rows.slice(from, next), marker: next < rows.length ? btoa(`row ${next}`) : null };
}

function atobOr(text: string): string {
  try {
    return atob(text);
  } catch {
    return "no marker";
  }
}

/** An answer of JSON. */
export function jsonReply(content: unknown): Reply {
  return { status: 200, headers: { "Content-Type": "application/json" }, body: textBody(JSON.stringify(content)) };
}
