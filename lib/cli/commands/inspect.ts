import { inspect, type InspectResult } from "../../verbs/mod.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import type { Session } from "../session.ts";
import { renderFacts } from "./facts.ts";

/** `tarzan inspect`. */
export async function performInspect({ file, json }: RequestOf<"inspect">, session: Session): Promise<number> {
  const result = await inspect(file);
  session.stdout.print(json ? inspectedJson(result) : renderInspected(result));
  return 0;
}

/** What a file says of itself, for people. */
export function renderInspected({ kind, facts }: InspectResult): string {
  return renderFacts([["kind", kind], ...facts.map(({ label, value }) => [label, valueText(value)] as const)]);
}

function valueText(value: string | number | boolean | null): string {
  if (value === null) return "none";
  return typeof value === "boolean" ? value ? "yes" : "no" : String(value);
}

/** The same as JSON, schema `tarzan.inspect/1`. */
export function inspectedJson({ kind, facts }: InspectResult): string {
  return jsonLine("tarzan.inspect/1", { kind, facts });
}
