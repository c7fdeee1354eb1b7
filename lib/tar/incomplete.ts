import { printableName } from "./printable.ts";

/** Where a stream ended. */
export interface StreamEnd {
  state: string;
  /** Bytes that the state still waited for. */
  missingBytes: number;
  /** The entry that was read last. */
  name: Uint8Array;
  /** Between the first block of an entry's headers and the last. */
  inHead: boolean;
  /** Zero blocks have been seen after the last entry. */
  ended: boolean;
  /** Anything was recognised as a header. */
  headerSeen: boolean;
  empty: boolean;
  /** The last bytes may be the beginning of a header. */
  cutHeader: boolean;
}

/**
 * Why a stream that ended so is not a whole tar, to follow "The input is incomplete: "; undefined when nothing speaks against it. Input
 * that never looked like a tar, and anything behind the end of an archive, is taken as whole.
 */
export function whyIncomplete(end: StreamEnd): string | undefined {
  const { state, missingBytes } = end;
  if (end.empty) return "it is empty";
  if (state === "skipped") return `it ends inside an entry with a damaged header, ${bytesAreMissing(missingBytes)}`;
  if (end.ended) return undefined;
  if (state === "opaque" || state === "resume") {
    return end.headerSeen ? "its end cannot be found after a damaged header" : undefined;
  }
  if (end.inHead || end.cutHeader) return "it ends inside a header";
  if (state === "body") {
    return `it ends inside the body of "${printableName(end.name)}", ${bytesAreMissing(missingBytes)}`;
  }
  if (state === "padding") return `it ends inside the padding after "${printableName(end.name)}"`;
  return end.headerSeen ? "it ends without the zero blocks that close an archive" : undefined;
}

function bytesAreMissing(count: number): string {
  return count === 1 ? "1 byte is missing" : `${count} bytes are missing`;
}
