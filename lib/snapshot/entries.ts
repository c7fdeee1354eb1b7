/** The entries of a page, as a listing shows them: from `heads` alone, so that no body is touched. */
import { type Entry, readEntry } from "../tar/mod.ts";
import type { HeadOp } from "./page.ts";

/** An entry and the operations that carry it: header, body, padding and whatever follows up to the next entry. */
export interface PageEntry {
  entry: Entry;
  /** The header's raw bytes. */
  header: Uint8Array;
  /** Number of the entry's first operation in the page, and the one behind its last. */
  fromOp: number;
  toOp: number;
  /** Number of the operation that is its body, if it has one. What stands in front belongs to the header. */
  bodyOp: number | undefined;
  /** Bytes of its body as they were stored. */
  bodyBytes: number;
}

/** The entries of a page, in order. */
export function pageEntries(ops: HeadOp[]): PageEntry[] {
  const result: PageEntry[] = [];
  let current: PageEntry | undefined;
  ops.forEach((op, i) => {
    if (op.op === "entry") {
      current = {
        entry: readEntry(op.bytes),
        header: op.bytes,
        fromOp: i,
        toOp: i + 1,
        bodyOp: undefined,
        bodyBytes: 0,
      };
      result.push(current);
    } else if (current !== undefined) {
      current.toOp = i + 1;
      // A body stands right behind its header; only a very long map of a sparse file comes in between. What follows an entry
      // without a body (a damaged header, say, and what it stands for) is not its own.
      const follows = current.entry.size > 0 && (i === current.fromOp + 1 || current.entry.sparse);
      if (op.op !== "raw" && follows && current.bodyOp === undefined) {
        current.bodyOp = i;
        current.bodyBytes = op.length;
      }
    }
  });
  return result;
}
