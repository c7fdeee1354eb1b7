import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, withDefault } from "@optique/core/modifiers";
import { constant, flag } from "@optique/core/primitives";
import type { CommandGrammar } from "./command.ts";
import { selectionArguments, type SelectionRequest, selectionRequest } from "./selection.ts";
import { noCacheOption } from "./shared_options.ts";
import {
  daysOption,
  maxCostOption,
  sameRegionOption,
  type ThawRequestOptions,
  tierOption,
  windowOption,
} from "./thaw_options.ts";

/** `tarzan thaw`. */
export interface ThawRequest extends SelectionRequest, ThawRequestOptions {
  readonly command: "thaw";
  readonly wait: boolean;
  readonly noCache: boolean;
}

/** `tarzan thaw`. */
export const thaw: CommandGrammar<ThawRequest> = {
  name: "thaw",
  brief: "Ask cold storage for copies that can be read.",
  description: [
    "Asks for every copy once, in the order of the upload, and says when they can be read: exit code 7 until then. Run it " +
    "again as often as you like: what was asked for is not asked for twice, and copies that are about to end are prolonged. " +
    'When it ends with 0, "tarzan extract" with the same INDEX and PATHs just works.',
    "Nothing is paid before you have said what it may cost, with --max-cost or at the question.",
  ],
  usage: "[OPTION…] [INDEX] [PATH…]",
  examples: [
    "tarzan thaw backup.idx --max-cost 5",
    "tarzan thaw latest home/ann --tier standard --max-cost 1 --wait",
    "tarzan thaw --days 14 --window 500GiB --max-cost 90",
  ],
  options: () =>
    map(
      object("Options", {
        command: constant("thaw"),
        tier: tierOption(),
        days: daysOption(),
        maxCost: maxCostOption(),
        wait: withDefault(
          flag("--wait", { description: message`Come back only when all of it can be read: hours or days.` }),
          false,
        ),
        windowBytes: windowOption(),
        sameRegion: sameRegionOption(),
        noCache: noCacheOption(),
        ...selectionArguments(),
      }),
      selectionRequest,
    ),
};
