/** What a backup is: index, recipe pages, page table, brick list, entries. Pure, given `get` and `put`. */
export { openAhead } from "./ahead.ts";
export { readBrickList, writeBrickList } from "./brick_list.ts";
export { type ChunkKind, type GetChunk, type PutChunk } from "./chunk_io.ts";
export { checkSizes, type ChunkSizes } from "../chunker/mod.ts";
export { pageEntries, type PageEntry } from "./entries.ts";
export {
  type ClearIndex,
  encodeIndex,
  type Index,
  INDEX_FORMAT,
  openSealed,
  peekIndex,
  type VerifiedIndex,
  verifyIndex,
} from "./index_file.ts";
export { decodeListed, encodeListed, LISTED_FORM, type ListedEntry } from "./listed.ts";
export { decodePageRefs, encodePageRef, type HeadOp, type PageRef, SMALL_BODY_BYTES } from "./page.ts";
export { PAGE_RULE, type PageRule, type RecipeOptions, RecipeWriter } from "./recipe.ts";
export { sealedFromText, type SealedIndex, sealedToText } from "./sealed_index.ts";
export {
  openHeads,
  type OpenPage,
  openPage,
  type PlacedOp,
  placedOps,
  replay,
  runsOf,
  type Segment,
} from "./replay.ts";
export {
  type CutStream,
  readStream,
  recordLength,
  STREAM_SIZES,
  streamChunks,
  type StreamRoot,
  StreamWriter,
} from "./stream.ts";
