import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import { constant, flag, option } from "@optique/core/primitives";
import { UsageError } from "../errors.ts";
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
import { directory } from "./values.ts";

/** `tarzan extract`. */
export interface ExtractRequest extends SelectionRequest {
  readonly command: "extract";
  /** The directory to run the system's tar in; undefined: the tar goes to standard output. */
  readonly to: string | undefined;
  readonly noCache: boolean;
  /** What to do about bricks in cold storage. */
  readonly cold: ThawRequestOptions & { readonly thaw: boolean; readonly wait: boolean };
}

/** `tarzan extract`. */
export const extract: CommandGrammar<ExtractRequest> = {
  name: "extract",
  brief: "Get a backup back as the tar it was, or a part of it.",
  description: [
    "Writes the tar to standard output: without a PATH the same bytes that went in, with PATHs a valid tar of just those " +
    "entries. With --to the system's tar unpacks it there.",
    "What there is of an incomplete backup is written all the same, with a warning and exit code 3.",
    "Where bricks sleep in cold storage, nothing is written: it says what thawing them takes, and ends with 7. With --thaw " +
    "they are asked for; with --thaw --wait each stretch is written as soon as it can be read.",
  ],
  usage: "[OPTION…] [INDEX] [PATH…]",
  examples: [
    "tarzan extract backup.idx | tar x",
    "tarzan extract latest 'etc/*.conf' --to restored",
    "tarzan extract --in backup.idx home/ann/thesis.tex | tar xO",
    "tarzan extract backup.idx --thaw --wait --max-cost 5 | tar x",
  ],
  options: () =>
    map(
      merge(
        object("Options", {
          command: constant("extract"),
          to: optional(option("--to", directory(), { description: message`Unpack into DIR with the system's tar.` })),
          noCache: noCacheOption(),
          ...selectionArguments(),
        }),
        object("If bricks are in cold storage", {
          thaw: withDefault(
            flag("--thaw", { description: message`Ask for copies of those that are needed.` }),
            false,
          ),
          wait: withDefault(
            flag("--wait", {
              description: message`Wait for copies, hours or days, and write what is there meanwhile.`,
            }),
            false,
          ),
          tier: tierOption(),
          days: daysOption(),
          maxCost: maxCostOption(),
          windowBytes: windowOption(),
          sameRegion: sameRegionOption(),
        }),
      ),
      ({ thaw, wait, tier, days, maxCost, windowBytes, sameRegion, ...words }) => {
        if (windowBytes !== undefined && !(thaw && wait)) {
          throw new UsageError("--window needs --thaw --wait: only a restore that waits goes through the window.");
        }
        return { ...selectionRequest(words), cold: { thaw, wait, tier, days, maxCost, windowBytes, sameRegion } };
      },
    ),
};
