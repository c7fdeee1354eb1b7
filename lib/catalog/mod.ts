/** What a machine remembers and may forget: which brick holds which chunk, and pages that were parsed before. */
export { type Brick, Catalog, type LightBrick } from "./catalog.ts";
export type { BrickRow, Kind } from "./brick_row.ts";
export type { BrickFilter, BrickSummary } from "./brick_table.ts";
export { CacheDamagedError } from "./database.ts";
export { EntriesCache } from "./entries_cache.ts";
export type { Exclusion, Reason } from "./exclusions.ts";
export type { LostRow, PlacedRow, Placement, PlacementFilter } from "./placement_table.ts";
