/** The lossless splitter of tar streams, and what listings need: reading, printing and writing headers. */

export { paddingLength } from "./block.ts";
export { type Entry, type EntryType, readEntry } from "./entry.ts";
export { modeString, typeLetter } from "./listing.ts";
export { nameFromPrintable, printableName } from "./printable.ts";
export { HEAD_LIMIT_BYTES, RAW_LIMIT_BYTES, type SplitStatus, type TarSink } from "./sink.ts";
export { Splitter } from "./splitter.ts";
export { endOfArchive, type HeaderFields, makeHeader } from "./write.ts";
