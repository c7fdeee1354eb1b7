import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { withDefault } from "@optique/core/modifiers";
import { constant, flag, option } from "@optique/core/primitives";
import type { CommandGrammar } from "./command.ts";
import { byDefault, noCacheOption } from "./shared_options.ts";
import { daysOption, sameRegionOption, tierOption } from "./thaw_options.ts";
import { money, number } from "./values.ts";

/** `tarzan drill`. */
export interface DrillRequest {
  readonly command: "drill";
  readonly maxCost: number;
  readonly files: number;
  readonly tier: "bulk" | "standard" | "expedited";
  readonly days: number;
  readonly sameRegion: boolean;
  readonly wait: boolean;
  readonly noCache: boolean;
}

/** `tarzan drill`. */
export const drill: CommandGrammar<DrillRequest> = {
  name: "drill",
  brief: "Restore a few random files for real, and compare them.",
  description: [
    "The habit that makes a backup a backup. Picks files of the latest backup, thaws their bricks where they sleep, restores them into nothing and compares every " +
    "chunk with its id and every length with the list. What is in cold storage takes hours: then it ends with 7, remembers " +
    "its choice, and the next run goes on with it. Each drill leaves a line in a log.",
    "Of a choice that would cost too much, the largest files are left out.",
  ],
  usage: "[OPTION…]",
  examples: ["tarzan drill --max-cost 0.50", "tarzan drill --files 20 --tier standard --wait"],
  options: () =>
    object("Options", {
      command: constant("drill"),
      maxCost: byDefault(
        option("--max-cost", money(), { description: message`What it may cost, in USD.` }),
        { value: 0.5, shown: "0.50" },
      ),
      files: byDefault(
        option("--files", number({ min: 1, max: 10_000 }), { description: message`How many files.` }),
        { value: 5, shown: "5" },
      ),
      tier: tierOption(),
      days: daysOption(),
      sameRegion: sameRegionOption(),
      wait: withDefault(
        flag("--wait", { description: message`Wait for cold storage, hours or days, instead of ending with 7.` }),
        false,
      ),
      noCache: noCacheOption(),
    }),
};
