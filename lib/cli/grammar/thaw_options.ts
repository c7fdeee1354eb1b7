import { message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import { flag, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { byDefault } from "./shared_options.ts";
import { money, number, size } from "./values.ts";

const mib = 1024 ** 2;
const tib = 1024 ** 4;

/** How cold storage is asked for copies. */
export interface ThawRequestOptions {
  readonly tier: "bulk" | "standard" | "expedited";
  readonly days: number;
  readonly maxCost: number | undefined;
  readonly windowBytes: number | undefined;
  readonly sameRegion: boolean;
}

/** How long copies are kept when nobody says otherwise: two days on the way, and some to fetch them. */
const usualDays = 7;

/** `--tier`. */
export function tierOption() {
  return byDefault(
    option("--tier", choice(["bulk", "standard", "expedited"], { metavar: "TIER" }), {
      description: message`How fast, and how dear: bulk, standard or expedited. "tarzan plan" says what each takes.`,
    }),
    { value: "bulk" as const, shown: "bulk" },
  );
}

/** `--days`. */
export function daysOption() {
  return byDefault(
    option("--days", number({ min: 1, max: 365 }), {
      description: message`For how many days a bucket keeps the copies. A vault keeps them for one, whatever is said.`,
    }),
    { value: usualDays, shown: String(usualDays) },
  );
}

/** `--same-region`. */
export function sameRegionOption() {
  return withDefault(
    flag("--same-region", {
      description: message`The restore runs at the provider, in the same region: nothing is paid for what leaves it.`,
    }),
    false,
  );
}

/** `--max-cost` where the user is asked without it. */
export function maxCostOption() {
  return optional(option("--max-cost", money(), {
    description: message`Do nothing if it would cost more than so many USD (default: ask before anything is paid).`,
  }));
}

/** `--window`. */
export function windowOption() {
  return optional(option("--window", size({ min: mib, max: 1024 * tib }), {
    description:
      message`Thaw only so much ahead of the restore, in the order in which it reads: for lines so slow that copies would end.`,
  }));
}
