/**
 * What is in a bundle: a plain tar (POSIX ustar) of regular files. This is no reader for any tar, but for the few things that a
 * bundle can be; what else stands in one is passed over, and what does not add up is damage.
 */
import { DamageError } from "../crypto/mod.ts";
import { fits, type MemberKind, memberKind } from "./restore_hot_names.ts";

const BLOCK_BYTES = 512;
/** The least that a member takes is two blocks, so a bundle of a GiB has at most as many. */
const MOST_MEMBERS = 1 << 20;

/** An object in a bundle, and where its bytes begin. */
export interface BundleMember {
  name: string;
  kind: MemberKind;
  bytes: number;
  offset: number;
}

export interface BundleContent {
  members: BundleMember[];
  /** Members that are no object of a repository, or cannot be one as they are. */
  passedOver: number;
}

export type ReadRange = (range: { from: number; length: number }) => Promise<Uint8Array<ArrayBuffer>>;

/** Reads the headers of a bundle of so many bytes. */
export async function readMembers(
  read: ReadRange,
  { bytes, what }: { bytes: number; what: string },
): Promise<BundleContent> {
  const bad = (why: string) => new DamageError(`Cannot unpack ${what}: ${why}`);
  const members = new Map<string, BundleMember>();
  let passedOver = 0;
  for (let at = 0;;) {
    const header = await read({ from: at, length: BLOCK_BYTES });
    if (header.length < BLOCK_BYTES) throw bad(`it ends at byte ${at + header.length} without the end of a tar`);
    if (header.every((byte) => byte === 0)) break;
    if (members.size + passedOver >= MOST_MEMBERS) throw bad(`it has more than ${MOST_MEMBERS} members`);
    const member = parseHeader(header);
    if (member === undefined) throw bad(`what stands at byte ${at} is no header of a tar`);
    const offset = at + BLOCK_BYTES;
    at = offset + Math.ceil(member.bytes / BLOCK_BYTES) * BLOCK_BYTES;
    if (at > bytes) throw bad(`a member reaches past its end at byte ${bytes}`);
    const kind = member.isFile ? memberKind(member.name) : undefined;
    if (kind === undefined || !fits(kind, member.bytes) || members.has(member.name)) passedOver++;
    else members.set(member.name, { name: member.name, kind, bytes: member.bytes, offset });
  }
  return { members: [...members.values()], passedOver };
}

/** A name, a length and whether it is a regular file; undefined: no header, or none that this reader takes. */
function parseHeader(header: Uint8Array): { name: string; bytes: number; isFile: boolean } | undefined {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  const [said, bytes] = [octal(header.subarray(148, 156)), octal(header.subarray(124, 136))];
  if (said !== sum || bytes === undefined) return undefined;
  const isUstar = text(header.subarray(257, 263)) === "ustar" && header[263] === 0x30;
  const prefix = isUstar ? text(header.subarray(345, 500)) : "";
  const name = text(header.subarray(0, 100));
  return { name: prefix === "" ? name : `${prefix}/${name}`, bytes, isFile: header[156] === 0x30 || header[156] === 0 };
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder("latin1").decode(end < 0 ? field : field.subarray(0, end));
}

function octal(field: Uint8Array): number | undefined {
  const digits = /^ *([0-7]{1,12}) *$/.exec(text(field).trimEnd());
  return digits === null ? undefined : parseInt(digits[1]!, 8);
}
