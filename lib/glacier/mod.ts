/** What cold storage asks for: its checksum, its byte ranges, its prices, and steps that take days. */
export {
  type ByteRange,
  isMegabyteAligned,
  isTreeHashAligned,
  megabyteAlignedAround,
  treeHashAlignedAround,
} from "./alignment.ts";
export { checkCeiling, type Cost, CostCeilingError } from "./ceiling.ts";
export {
  type ColdClass,
  type ColdObject,
  type ColdStore,
  type ColdUpload,
  type Confirmation,
  type Listing,
  NotThawedError,
  type StoredClass,
  type Thaw,
  type Tier,
} from "./cold.ts";
export { type ColdPlace, isColdLocation, parseColdLocation } from "./cold_location.ts";
export { formatUsd, GB_BYTES, MONTH_DAYS } from "./money.ts";
export { type ColdStoreOptions, openColdStore } from "./open_cold.ts";
export {
  egressCost,
  estimateRestore,
  type NeededObject,
  type RestoreCost,
  type RestoreEstimate,
  type RestoreOptions,
  type RestorePlan,
} from "./plan.ts";
export {
  type ClassPrices,
  type EgressPrices,
  parsePrices,
  type PriceClass,
  priceClasses,
  type Prices,
  type PriceSource,
  priceSources,
  shippedPrices,
} from "./prices.ts";
export {
  type ClassMonth,
  earlyDeletionFee,
  estimateMonthly,
  estimateUpload,
  type MonthlyEstimate,
  type PricedObject,
  type UploadEstimate,
} from "./storage_cost.ts";
export { copyExpiry, EXPEDITED_BYTES, thawTime, tierRefusal, tiers, tiersOf, type TimeRange } from "./tiers.ts";
export { LeafHasher } from "./leaf_hasher.ts";
export { LEAF_BYTES, TreeHasher } from "./tree_hash.ts";
export { type AwaitedObject, nextThawStep, type ThawOptions, type ThawStep, waves } from "./waves.ts";
