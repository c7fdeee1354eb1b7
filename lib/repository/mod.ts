/** Knows what is where and in which order it is written; the only one that puts or deletes. */
export { checkBrickPadding, readBrickToc, readHeader, sameToc } from "./brick_files.ts";
export { BrickSource } from "./brick_source.ts";
export { BrickFiller, type BrickTarget, type FillerOptions } from "./brick_filler.ts";
export { type ColdAccess, coldAccess, NeedsThawError } from "./cold_access.ts";
export {
  aloneBytes,
  ColdJournal,
  ColdTarget,
  ColdUploader,
  dropLocal,
  type Dropped,
  loneBrick,
  type PlacedCounts,
  planUpload,
  type UploadPlan,
  uploadUnplaced,
} from "./cold/mod.ts";
export { type ColdCensus, type FoundBundle, severalRepositories, takeCensus } from "./cold_census.ts";
export { type Config, CONFIG_FORMAT, formatConfig, parseConfig } from "./config.ts";
export { type BrickDamage, DAMAGE_FORMAT, recordDamage } from "./damage.ts";
export { ConflictError, NoRepositoryError } from "./errors.ts";
export { type IndexName, listIndexes, newestIndex, openIndex, readIndex, verifyIndexFile } from "./indexes.ts";
export { deadJournals, Journal } from "./journal.ts";
export { learn, publish, readLedger, remember } from "./ledger.ts";
export {
  BRICK_KINDS,
  brickFolder,
  brickObject,
  CONFIG_NAME,
  domainOf,
  indexObject,
  KEYS_PREFIX,
  ledgerFolder,
  newStamp,
  parseBrickObject,
  parseIndexObject,
  stampTime,
} from "./names.ts";
export { inParallel, Scales } from "./parallel.ts";
export { checkPin, type PinOptions } from "./pins.ts";
export { listBricks, missingBricks, noteCondemned, noteDamage, notePresence } from "./presence.ts";
export { classOf, findPlaces, type FoundPlaces, type ReadBundle } from "./place_found.ts";
export { openRepository, readConfigText, type Repository, restoreConfig, visibleDomains } from "./repository.ts";
export { type Unpacked, unpackMembers } from "./restore_hot.ts";
export { fetchBundle, rangesOf } from "./restore_hot_fetch.ts";
export { type BundleMember, readMembers, type ReadRange } from "./restore_hot_members.ts";
export {
  addSlot,
  listSlots,
  makeSlot,
  type OpenedSlot,
  openFirstSlot,
  type SlotKeys,
  type StoredSlot,
} from "./slots.ts";
export { BackupWriter, type IndexFacts, type WriterCounts, type WriterOptions } from "./writer.ts";
