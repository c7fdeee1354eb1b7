/**
 * S3 with its storage classes and Amazon Glacier vaults, on this machine, as strict as the real ones and with a clock that
 * is moved by hand: what TARzan is tested against, and what people can try it with who have no account.
 */
export { durationMs } from "./admin.ts";
export type { Hostility, Switch } from "./call.ts";
export type { Clock } from "./clock.ts";
export { type Emulator, type EmulatorOptions, startEmulator } from "./emulator.ts";
export type { FaultAction, FaultPlan, Faults } from "./faults.ts";
export type { LoggedRequest } from "./log.ts";
export type { Policy, Statement } from "./policy.ts";
export type { User } from "./users.ts";
