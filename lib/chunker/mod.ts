// Content-defined chunking: FastCDC with a keyed gear table, normalisation level 2, conventions of fastcdc-rs v2020.

export { checkSizes, type ChunkSizes, GREATEST_CHUNK_BYTES, LEAST_CHUNK_BYTES, type Masks, masksOf } from "./sizes.ts";
export { cutReference, type GearTable, gearTable, TABLE_BYTES } from "./gear.ts";
export { Kernel, type ScanStart } from "./kernel.ts";
export { Cutter } from "./cutter.ts";
export { cutLengths } from "./cut_lengths.ts";
