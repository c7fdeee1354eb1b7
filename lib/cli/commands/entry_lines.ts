/**
 * Entries of a snapshot as lines. Names in a tar are any bytes: what is printed is their printable form, and where that
 * is not the name itself, JSON has the exact bytes beside it.
 */
import { type Entry, type EntryType, modeString, printableName } from "../../tar/mod.ts";
import { jsonLine } from "../json.ts";
import { formatTime } from "../units.ts";

/** What is shown of an entry. */
type Shown = Omit<Entry, "pax" | "globalPax">;

/** The least width of owner and size together, as in `tar tv`, so that most lines stand below each other. */
const ownerAndSizeWidth = 20;

/** A line of `tar tv`, with the time in UTC: mode, owner and group, size (or device numbers), time, name, link. */
export function longLine(entry: Shown): string {
  const owner = `${entry.user || entry.uid}/${entry.group || entry.gid}`;
  const isDevice = entry.type === "c" || entry.type === "b";
  const size = isDevice ? `${entry.devMajor},${entry.devMinor}` : String(entry.realSize);
  const padded = size.padStart(Math.max(1, ownerAndSizeWidth - owner.length - 1));
  return `${modeString(entry)} ${owner} ${padded} ${timeText(entry.mtime)} ${shortLine(entry)}${linkText(entry)}`;
}

/** The entry's name alone. */
export function shortLine({ name }: Pick<Entry, "name">): string {
  return printableName(name);
}

function linkText({ type, linkName }: Shown): string {
  if (type === "l") return ` -> ${printableName(linkName)}`;
  return type === "h" ? ` link to ${printableName(linkName)}` : "";
}

/** Seconds since 1970 as a moment; a header may hold numbers that no calendar has. */
function timeText(seconds: number): string {
  const at = new Date(Math.floor(seconds) * 1000);
  return Number.isNaN(at.getTime()) ? `@${seconds}` : formatTime(at);
}

const typeWords: Record<EntryType, string> = {
  "-": "file",
  h: "hard link",
  l: "symbolic link",
  c: "character device",
  b: "block device",
  d: "directory",
  p: "fifo",
  D: "incremental directory",
  V: "volume label",
  M: "continued file",
  "?": "other",
};

/** The entry as one line of JSON, schema `tarzan.entry/1`. */
export function entryJson(entry: Shown): string {
  const { type, realSize, size, sparse, mode, uid, gid, user, group, mtime } = entry;
  const isLink = type === "h" || type === "l";
  const isDevice = type === "c" || type === "b";
  return jsonLine("tarzan.entry/1", {
    ...nameMembers("name", entry.name),
    type: typeWords[type],
    bytes: realSize,
    archiveBytes: sparse ? size : undefined,
    mode: mode.toString(8).padStart(4, "0"),
    uid,
    gid,
    user,
    group,
    mtime,
    ...(isLink ? nameMembers("link", entry.linkName) : {}),
    device: isDevice ? { major: entry.devMajor, minor: entry.devMinor } : undefined,
  });
}

/** The printable form, and the exact bytes where the two differ: then, and only then, it has a backslash. */
function nameMembers(member: string, name: Uint8Array): Record<string, string> {
  const text = printableName(name);
  return text.includes("\\") ? { [member]: text, [`${member}Base64`]: name.toBase64() } : { [member]: text };
}
