/**
 * Which entries have a body, and how long it is. Readers differ here, and a wrong answer puts the reader out of step with the
 * stream; so where they differ the stream itself is asked (`sure: false`): does a header follow at once?
 *
 * - Symbolic links, devices, directories, fifos: no body, whatever the size field says (libarchive, Go, CPython, GNU since 2024).
 * - Hard links: 1988 said to ignore the size, pax 2001 lets them carry data. libarchive's rule: pax seen, obey; GNU or v7 header,
 *   ignore; plain ustar, look.
 * - A file whose name ends in "/" was a directory before type 5 existed: some readers obey its size, some do not. Look.
 * - Every unknown type is a file, says POSIX.
 */

import type { Dialect } from "./block.ts";

/** `record`: its data belongs to the entry that follows. */
export type BodyRule = "record" | "none" | "link" | "file";

/** The type flags that have a name here. */
export const TYPE = {
  oldFile: 0,
  file: 0x30,
  hardLink: 0x31,
  symlink: 0x32,
  charDevice: 0x33,
  blockDevice: 0x34,
  directory: 0x35,
  fifo: 0x36,
  contiguous: 0x37,
  acl: 0x41, // A, Solaris and AIX
  dumpdir: 0x44, // D
  longLink: 0x4b, // K
  longName: 0x4c, // L
  continuation: 0x4d, // M
  sparse: 0x53, // S
  label: 0x56, // V
  solarisPax: 0x58, // X
  global: 0x67, // g
  pax: 0x78, // x
} as const;

/** Sorts a type flag. */
export function bodyRule(type: number): BodyRule {
  switch (type) {
    case TYPE.pax:
    case TYPE.global:
    case TYPE.solarisPax:
    case TYPE.longName:
    case TYPE.longLink:
    case TYPE.acl:
      return "record";
    case TYPE.symlink:
    case TYPE.charDevice:
    case TYPE.blockDevice:
    case TYPE.directory:
    case TYPE.fifo:
    case TYPE.label:
      return "none";
    case TYPE.hardLink:
      return "link";
    default:
      return "file";
  }
}

/** Whether data of this type is pax records. */
export function isPax(type: number): boolean {
  return type === TYPE.pax || type === TYPE.solarisPax || type === TYPE.global;
}

/** What `bodyLength` decides on. */
export interface BodyFacts {
  type: number;
  dialect: Dialect;
  /** The full name. */
  name: Uint8Array;
  /** The size that holds: the entry's own pax record, or the header field. NaN when unusable. */
  size: number;
  /** Whether it came from the entry's own pax record. */
  own: boolean;
  /** Whether the archive has shown pax records. */
  paxSeen: boolean;
}

/** The length of an entry's body (NaN: cannot be known), and whether that is `sure` or depends on what follows the header. */
export function bodyLength({ type, dialect, name, size, own, paxSeen }: BodyFacts): { length: number; sure: boolean } {
  const rule = bodyRule(type);
  if (rule === "none") return { length: 0, sure: true };
  if (rule === "link" && !own) {
    if (dialect !== "ustar") return { length: 0, sure: true };
    return { length: size, sure: paxSeen || size === 0 };
  }
  const slash = name[name.length - 1] === 0x2f && isPlainFile(type);
  return { length: size, sure: !slash || size === 0 };
}

function isPlainFile(type: number): boolean {
  return type === TYPE.oldFile || type === TYPE.file || type === TYPE.contiguous;
}
