import { refuseSeededRandomness } from "../../crypto/mod.ts";
import { create, type CreateOptions, type CreateResult } from "../../verbs/mod.ts";
import { UsageError } from "../errors.ts";
import { incompleteCode } from "../exit_codes.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import type { Session } from "../session.ts";
import { formatBytes, formatCount, formatCounted, formatDuration, formatRate } from "../units.ts";
import { renderFacts } from "./facts.ts";
import { foundIfMissing } from "./founding.ts";

/** `tarzan create`: 3 when the input was incomplete. */
export async function performCreate(request: RequestOf<"create">, session: Session): Promise<number> {
  refuseSeededRandomness();
  const { out, label, tags, level, brickSizeBytes, defer, founding, json, quiet } = request;
  const source = sourceOf(request, session);
  const secrets = founding === undefined ? session.secrets : await foundIfMissing(founding, session, { json });
  const result = await create({ ...session, secrets }, { out, label, tags, level, brickSizeBytes, defer, source });
  session.progress.done();
  if (!result.complete) {
    session.warn(
      `The input was incomplete (${result.incomplete}). What came of it is stored and marked as incomplete.`,
    );
  }
  if (json) session.stdout.print(createdJson(result));
  else if (!quiet) session.stdout.print(renderCreated(result));
  return result.complete ? 0 : incompleteCode;
}

function sourceOf({ producer }: RequestOf<"create">, session: Session): CreateOptions["source"] {
  if (producer.length > 0) return { kind: "command", argv: [...producer], env: session.childEnvironment() };
  if (session.stdin.isTerminal()) {
    throw new UsageError(
      "Standard input is a terminal, not a tar. Pipe one in (tar c DIR | tarzan create), or name the program that makes " +
        "it (tarzan create -- tar c DIR).",
    );
  }
  return { kind: "stdin" };
}

/** What a backup did, for people. */
export function renderCreated(result: CreateResult): string {
  const { bytes, newBytes, storedBytes, milliseconds } = result;
  return renderFacts([
    ["snapshot", result.snapshot],
    ["entries", formatCount(result.entries)],
    ["read", formatBytes(bytes)],
    ["new", formatBytes(newBytes)],
    ["deduplicated", formatBytes(result.deduplicatedBytes)],
    ["stored", `${formatBytes(storedBytes)} (${share(storedBytes, bytes)} of what was read)`],
    ["bricks", formatCount(result.bricks)],
    ["cold storage", coldLine(result.cold)],
    ["time", `${formatDuration(milliseconds)} (${formatRate(bytes, milliseconds)})`],
    ["index", result.out],
    ["incomplete", result.incomplete],
  ]);
}

function coldLine(cold: CreateResult["cold"]): string | undefined {
  if (cold === undefined) return undefined;
  const kept = cold.kept === 0 ? "" : `; ${formatCounted(cold.kept, "brick")} kept here too`;
  return `${formatCounted(cold.objects, "object")} sent, ${formatBytes(cold.bytes)}${kept}`;
}

/** A part in percent, finer where it is small. It can be more than all: small backups take whole bricks. */
function share(part: number, whole: number): string {
  const percent = part * 100 / whole;
  return `${percent < 10 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** What a backup did as JSON, schema `tarzan.create/1`. */
export function createdJson(result: CreateResult): string {
  return jsonLine("tarzan.create/1", {
    snapshot: result.snapshot,
    location: result.location,
    complete: result.complete,
    incomplete: result.incomplete,
    entries: result.entries,
    bytes: result.bytes,
    newBytes: result.newBytes,
    deduplicatedBytes: result.deduplicatedBytes,
    storedBytes: result.storedBytes,
    bricks: result.bricks,
    opaqueBytes: result.opaqueBytes,
    producer: result.producer,
    cold: result.cold,
    milliseconds: result.milliseconds,
    out: result.out,
  });
}
