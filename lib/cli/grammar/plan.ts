import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, withDefault } from "@optique/core/modifiers";
import { constant, flag } from "@optique/core/primitives";
import type { CommandGrammar } from "./command.ts";
import { selectionArguments, type SelectionRequest, selectionRequest } from "./selection.ts";
import { noCacheOption } from "./shared_options.ts";
import { daysOption, sameRegionOption } from "./thaw_options.ts";

/** `tarzan plan`. */
export interface PlanRequest extends SelectionRequest {
  readonly command: "plan";
  readonly days: number;
  readonly sameRegion: boolean;
  readonly offline: boolean;
  readonly noCache: boolean;
}

/** `tarzan plan`. */
export const plan: CommandGrammar<PlanRequest> = {
  name: "plan",
  brief: "Say what a restore takes: bricks, time and money.",
  description: [
    "Says which bricks are here and which sleep, how much would be thawed for how much that is read, and the time and the " +
    "money for each tier. It asks no cold store and pays nothing there: what it knows it has from the ledger, and says how " +
    "old that is.",
    'Prices are estimates from a dated table; put your own into "prices.json" in the configuration directory.',
  ],
  usage: "[OPTION…] [INDEX] [PATH…]",
  examples: [
    "tarzan plan",
    "tarzan plan latest home/ann/thesis.tex",
    "tarzan plan backup.idx --offline",
    "tarzan plan --days 14 --json",
  ],
  options: () =>
    map(
      object("Options", {
        command: constant("plan"),
        days: daysOption(),
        sameRegion: sameRegionOption(),
        offline: withDefault(
          flag("--offline", {
            description: message`Ask nobody at all: only by what this machine has read before. Give the INDEX file.`,
          }),
          false,
        ),
        noCache: noCacheOption(),
        ...selectionArguments(),
      }),
      selectionRequest,
    ),
};
