import { type Affected, verify, type VerifyResult } from "../../verbs/mod.ts";
import { UsageError } from "../errors.ts";
import { damageCode, thawCode } from "../exit_codes.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import { printableLine } from "../printable.ts";
import type { Session } from "../session.ts";
import { formatBytes, formatCount, formatCounted, formatTime } from "../units.ts";

/** `tarzan verify`: 4 when anything is not as it should be. */
export async function performVerify(request: RequestOf<"verify">, session: Session): Promise<number> {
  const { backups, bricks, dataPercent, inventory, json, quiet } = request;
  const keyless = await worksWithoutKey(request, session);
  const result = await verify(session, { backups, bricks, dataPercent, inventory, keyless });
  session.progress.done();
  const sound = result.problems.length === 0;
  if (json) session.stdout.print(verifiedJson(result));
  else if (!quiet || !sound) session.stdout.print(renderVerified(result));
  if (!sound) return damageCode;
  return result.inventories.length > 0 ? thawCode : 0;
}

/**
 * Whoever keeps a repository for others can check its bricks by their names, without any key: so with --bricks alone an
 * empty passphrase, or nobody to ask for one, means that only this is to be checked.
 */
async function worksWithoutKey(request: RequestOf<"verify">, session: Session): Promise<boolean> {
  if (!request.bricks || request.dataPercent > 0 || request.backups.length > 0 || session.secrets.given) return false;
  try {
    const purpose = "(Enter alone: check only what needs no key)";
    return await session.secrets.passphrase(purpose, { confirm: false }) === "";
  } catch (error) {
    if (error instanceof UsageError) return true;
    throw error;
  }
}

/** Everything that was found, for people; the last line is the verdict. */
export function renderVerified(result: VerifyResult): string {
  const { problems, affected, unchecked, partlyOffSite, inventories } = result;
  return [
    ...problems.map(({ kind, message }) => `${kind}: ${message}`),
    ...affected.flatMap(affectedLines),
    ...unchecked.map((sentence) => `not checked: ${sentence}`),
    ...partlyOffSite.map((partly) =>
      `snapshot ${nameOf(partly)}: cold: ${formatCount(partly.coldBricks)} of ${formatCount(partly.bricks)}; ` +
      '"tarzan glacier-upload" sends the rest'
    ),
    ...inventories.map(({ location, readyAt }) =>
      `waiting: ${location} makes an inventory, to be read ${
        readyAt === undefined ? "in a day or so" : `from ${formatTime(readyAt)} on`
      }; run the same command then`
    ),
    verdict(result),
  ].map((line) => `${printableLine(line)}\n`).join("");
}

function affectedLines({ snapshot, label, entries, count, nameless }: Affected): string[] {
  const losses: string[] = [];
  if (count > 0) losses.push(formatCounted(count, "entry", "entries"));
  if (nameless) losses.push("bytes that belong to no entry");
  const lines = [`snapshot ${nameOf({ snapshot, label })}: damage touches ${losses.join(" and ") || "it"}`];
  lines.push(...entries.map((entry) => `  ${entry}`));
  if (count > entries.length) lines.push(`  and ${formatCount(count - entries.length)} more`);
  return lines;
}

function nameOf({ snapshot, label }: { readonly snapshot: string; readonly label: string }): string {
  return label === "" ? snapshot : `${snapshot} "${label}"`;
}

function verdict(
  { problems, affected, snapshots, bricks, bricksHashed, coldBricks, blocksOpened, bytesReplayed }: VerifyResult,
): string {
  const done = [
    snapshots > 0 ? formatCounted(snapshots, "snapshot") : "",
    formatCounted(bricks, "brick"),
    bricksHashed > 0 ? `${formatCounted(bricksHashed, "brick")} hashed` : "",
    coldBricks > 0 ? `${formatCounted(coldBricks, "brick")} confirmed by cold storage` : "",
    bytesReplayed > 0 ? `${formatBytes(bytesReplayed)} restored and compared` : "",
    blocksOpened > 0 ? `${formatCounted(blocksOpened, "block")} decrypted` : "",
  ].filter((part) => part !== "").join(", ");
  if (problems.length === 0) return `ok: ${done}; no problem found`;
  return `damaged: ${formatCounted(problems.length, "problem")}, ${
    formatCounted(affected.length, "snapshot")
  } touched (${done})`;
}

/** Everything that was found as JSON, schema `tarzan.verify/1`. */
export function verifiedJson(result: VerifyResult): string {
  return jsonLine("tarzan.verify/1", {
    sound: result.problems.length === 0,
    snapshots: result.snapshots,
    bricks: result.bricks,
    bricksHashed: result.bricksHashed,
    coldBricks: result.coldBricks,
    blocksOpened: result.blocksOpened,
    bytesReplayed: result.bytesReplayed,
    problems: result.problems,
    affected: result.affected,
    unchecked: result.unchecked,
    partlyOffSite: result.partlyOffSite,
    inventories: result.inventories,
  });
}
