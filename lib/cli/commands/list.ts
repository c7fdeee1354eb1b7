import { listEntries, listSnapshots, type SnapshotLine } from "../../verbs/mod.ts";
import { exitCodeOf } from "../exit_codes.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import type { Session } from "../session.ts";
import { formatBytes, formatCount, formatTime } from "../units.ts";
import { entryJson, longLine, shortLine } from "./entry_lines.ts";
import { LineWriter } from "./line_writer.ts";
import { type Column, renderTable } from "./table.ts";

/** `tarzan list`: backups that cannot be read are listed as such, and decide the exit code. */
export async function performList(request: RequestOf<"list">, session: Session): Promise<number> {
  if (request.backup === undefined) return await printSnapshots(request, session);
  await printEntries(request, session);
  return 0;
}

async function printSnapshots({ json, long }: RequestOf<"list">, session: Session): Promise<number> {
  const snapshots = await listSnapshots(session);
  session.progress.done();
  if (json) session.stdout.print(snapshots.map(snapshotJson).join(""));
  else if (snapshots.length > 0) session.stdout.print(renderSnapshots(snapshots, { long }));
  else session.note(`There are no backups in ${session.places.repository()} yet.`);
  return Math.max(0, ...snapshots.map(({ trouble }) => trouble === undefined ? 0 : exitCodeOf({ name: trouble })));
}

async function printEntries({ backup, globs, long, json }: RequestOf<"list">, session: Session): Promise<void> {
  const line = json ? entryJson : long ? inLine(longLine) : inLine(shortLine);
  const writer = new LineWriter(session.stdout);
  try {
    await listEntries(session, {
      snapshot: backup,
      paths: globs,
      onEntries: (entries) => writer.add(entries.map(line).join("")),
    });
  } finally {
    await writer.flush();
  }
}

function inLine<T>(render: (item: T) => string): (item: T) => string {
  return (item) => `${render(item)}\n`;
}

/** Snapshots as a table. What a key cannot read, or is not there, is a dash. */
export function renderSnapshots(snapshots: readonly SnapshotLine[], { long }: { readonly long: boolean }): string {
  const number =
    (of: (line: SnapshotLine) => number | undefined, format: (value: number) => string) => (line: SnapshotLine) => {
      const value = of(line);
      return value === undefined ? "" : format(value);
    };
  const more: Column<SnapshotLine>[] = [
    { title: "DOMAIN", cell: ({ domain, domainName }) => domainName ?? domain },
    { title: "BRICKS", cell: number(({ bricks }) => bricks, formatCount), right: true },
  ];
  return renderTable(snapshots, [
    { title: "SNAPSHOT", cell: ({ snapshot }) => snapshot },
    { title: "CREATED", cell: ({ created }) => created === "" ? "" : createdText(created) },
    { title: "HOST", cell: ({ host }) => host ?? "" },
    { title: "LABEL", cell: ({ label }) => label ?? "" },
    { title: "TAGS", cell: ({ tags }) => (tags ?? []).join(",") },
    { title: "ENTRIES", cell: number(({ entries }) => entries, formatCount), right: true },
    { title: "SIZE", cell: number(({ bytes }) => bytes, formatBytes), right: true },
    ...(long ? more : []),
    ...(snapshots.some(({ coldBricks }) => coldBricks !== undefined) ? [offSite] : []),
    { title: "STATE", cell: stateText },
  ]);
}

/** How much lies in cold storage; only where there is any. */
const offSite: Column<SnapshotLine> = {
  title: "COLD",
  cell: ({ bricks, coldBricks }) =>
    coldBricks === undefined ? "" : `${formatCount(coldBricks)} of ${formatCount(bricks ?? 0)}`,
  right: true,
};

function createdText(created: string): string {
  const at = new Date(created);
  return Number.isNaN(at.getTime()) ? created : formatTime(at);
}

function stateText({ problem, open, complete, incomplete }: SnapshotLine): string {
  if (problem !== undefined) return `unreadable: ${problem}`;
  if (open) return "unfinished: being written, or interrupted";
  if (complete) return "complete";
  return incomplete === undefined ? "incomplete" : `incomplete: ${incomplete}`;
}

/** A snapshot as JSON, schema `tarzan.snapshot/1`. */
export function snapshotJson(line: SnapshotLine): string {
  return jsonLine("tarzan.snapshot/1", {
    snapshot: line.snapshot,
    domain: line.domain,
    domainName: line.domainName,
    created: line.created === "" ? undefined : line.created,
    complete: line.complete,
    open: line.open,
    host: line.host,
    label: line.label,
    tags: line.tags,
    entries: line.entries,
    bytes: line.bytes,
    bricks: line.bricks,
    coldBricks: line.coldBricks,
    incomplete: line.incomplete,
    producer: line.producer,
    problem: line.problem,
  });
}
