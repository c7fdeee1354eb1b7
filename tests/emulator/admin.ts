/** What people ask of the emulator itself when they try it by hand, under `/_emulator/`. */
import { parseQuery } from "./call.ts";
import type { Emulator } from "./emulator.ts";
import type { FaultPlan } from "./faults.ts";
import { type Answer, textBody } from "./http/answer.ts";
import type { HttpRequest } from "./http/connection.ts";

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * GET /_emulator/clock · POST /_emulator/clock?advance=12h · GET /_emulator/requests · POST /_emulator/bucket?name=…[&lock=1] ·
 * POST /_emulator/vault?name=… · POST /_emulator/faults with a plan as JSON · DELETE /_emulator/faults
 */
export async function answerAdmin(emulator: Emulator, request: HttpRequest): Promise<Answer> {
  const query = parseQuery(request.query);
  const what = `${request.method} ${request.path.replace("/_emulator/", "")}`;
  const body = await request.body.whole(65_536) ?? new Uint8Array();
  try {
    if (what === "POST clock") emulator.clock.advance(durationMs(query.get("advance") ?? ""));
    else if (what === "POST bucket") emulator.createBucket(query.get("name") ?? "", { objectLock: query.has("lock") });
    else if (what === "POST vault") emulator.createVault(query.get("name") ?? "");
    else if (what === "POST faults") emulator.faults.add(readPlan(new TextDecoder().decode(body)));
    else if (what === "DELETE faults") emulator.faults.clear();
    else if (what === "GET requests") return told(200, emulator.requests.map((one) => JSON.stringify(one)).join("\n"));
    else if (what !== "GET clock") return told(404, `There is no ${what}`);
    return told(200, emulator.clock.now().toISOString());
  } catch (error) {
    return told(400, error instanceof Error ? error.message : String(error));
  }
}

function told(status: number, text: string): Answer {
  return { status, headers: { "Content-Type": "text/plain" }, body: textBody(`${text}\n`) };
}

/** `90s`, `12h`, `2d` in milliseconds. */
export function durationMs(text: string): number {
  const [, number, unit] = text.match(/^([0-9]+)([smhd])$/) ?? [];
  if (number === undefined || unit === undefined) throw new Error(`"${text}" is no duration such as 30m, 12h or 2d`);
  return Number(number) * units[unit]!;
}

/** A plan as JSON has it: its times are text there. */
function readPlan(text: string): FaultPlan {
  const plan = JSON.parse(text) as FaultPlan;
  if (plan.during) plan.during = { from: new Date(plan.during.from), until: new Date(plan.during.until) };
  return plan;
}
