/** One function a verb: connects the parts, decides nothing about bytes, names or threads. */
export type { BucketChoice } from "./bucket_settings.ts";
export { type BrickLine, bricks } from "./bricks.ts";
export { checksum, type ChecksumLine } from "./checksum.ts";
export { IncompleteInputError } from "./backup_run.ts";
export { cost, type CostPlace, type CostResult } from "./cost.ts";
export { create, type CreateOptions, type CreateResult } from "./create.ts";
export { type ColdChoice, StillColdError } from "./cold_restore.ts";
export { detach } from "./detach.ts";
export { drill, type DrillOptions, type DrillResult } from "./drill.ts";
export { extract, type ExtractOptions, type ExtractResult } from "./extract.ts";
export { glacierUpload, type GlacierUploadOptions, type GlacierUploadResult } from "./glacier_upload.ts";
export { init, type InitOptions, type InitResult, type SlotChoice } from "./init.ts";
export { inspect, type InspectResult } from "./inspect.ts";
export {
  keyAdd,
  type KeyAddOptions,
  type KeyAddResult,
  type KeyLine,
  keyList,
  keyPasswd,
  keyRemove,
  keyShow,
} from "./keys.ts";
export { listEntries, type ListEntriesOptions, listSnapshots, type SnapshotLine } from "./list.ts";
export { isFounded } from "./open.ts";
export { plan, type PlanOptions, type PlanResult } from "./plan.ts";
export { rebuild, type RebuildResult } from "./rebuild.ts";
export { type FromColdOptions, type FromColdResult, rebuildFromCold } from "./rebuild_from_cold.ts";
export type { Places, Progress, Secrets, VerbSession } from "./session.ts";
export { thaw, type ThawOptions, type ThawResult } from "./thaw.ts";
export { verify, type VerifyOptions } from "./verify.ts";
export type { Affected, PartlyOffSite, Problem, VerifyResult } from "./verify_report.ts";
export { TOOL } from "./tool.ts";
