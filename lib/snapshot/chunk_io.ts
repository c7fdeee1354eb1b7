/** How this folder reaches chunks: by function, so that it needs neither store nor threads. */

/** Data chunks hold bytes of bodies; meta chunks hold recipes. Their ids are made with different keys. */
export type ChunkKind = "D" | "M";

/** Takes over the bytes of a chunk and gives its id; the chunk is stored some time later, if it is new. */
export type PutChunk = (kind: ChunkKind, bytes: Uint8Array<ArrayBuffer>) => Uint8Array;

/** The bytes of a chunk, whose id was recomputed. Throws where it is missing or damaged. */
export type GetChunk = (kind: ChunkKind, id: Uint8Array) => Promise<Uint8Array>;

/** A chunk in a list: id 32 | u32 length. */
export const CHUNK_RECORD_BYTES = 36;
