/** Bringing a repository into cold storage: bricks alone, everything small in bundles. */
export { ColdJournal } from "./cold_journal.ts";
export { ColdUploader, type ColdUploaderOptions, type Outgoing, type PlacedCounts } from "./cold_uploader.ts";
export { dropLocal, type DropOptions, type Dropped } from "./drop_local.ts";
export { aloneBytes, loneBrick, planUpload, type UploadOptions, type UploadPlan, uploadUnplaced } from "./upload.ts";
export { ColdTarget, type ColdTargetOptions } from "./cold_target.ts";
export type { LoneBrick, Unplaced } from "./unplaced.ts";
