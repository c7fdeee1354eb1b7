import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import { constant, flag, option } from "@optique/core/primitives";
import type { CommandGrammar } from "./command.ts";
import { daysOption, maxCostOption, sameRegionOption, type ThawRequestOptions, tierOption } from "./thaw_options.ts";
import { coldPlace, repositoryId } from "./values.ts";

/** `tarzan rebuild`. */
export interface RebuildRequest extends Omit<ThawRequestOptions, "windowBytes"> {
  readonly command: "rebuild";
  /** The cold store out of which a lost repository is made anew; undefined: the repository is there. */
  readonly fromCold: string | undefined;
  readonly repositoryId: string | undefined;
  readonly wait: boolean;
}

/** `tarzan rebuild`. */
export const rebuild: CommandGrammar<RebuildRequest> = {
  name: "rebuild",
  brief: "Make the catalogue anew, or a lost repository.",
  description: [
    "This machine's catalogue is only a cache. It is rebuilt from the repository's ledger with any key, without reading data bricks.",
    "With --from-cold, the repository itself is lost: everything small (recipes, ledger, indexes, key slots) is thawed and " +
    "put into the place that --repository names. That takes hours or days: run the same again when it says so (exit code " +
    '7), or give --wait. Large data bricks stay where they are; "tarzan thaw" and "tarzan extract" work then.',
  ],
  usage: "[OPTION…]",
  examples: [
    "tarzan rebuild",
    "tarzan rebuild -d /mnt/backup",
    "tarzan rebuild --from-cold glacier://eu-west-1/vault -d /mnt/new",
    "tarzan rebuild --from-cold s3://archive/tarzan -d /mnt/new --wait",
  ],
  options: () =>
    object("Options", {
      command: constant("rebuild"),
      fromCold: optional(option("--from-cold", coldPlace(), {
        description: message`Only this is left: s3://BUCKET/PREFIX or glacier://REGION/VAULT.`,
      })),
      repositoryId: optional(option("--repository-id", repositoryId(), {
        description: message`Which one, if there are several there: your recovery sheet has it.`,
      })),
      tier: tierOption(),
      days: daysOption(),
      maxCost: maxCostOption(),
      sameRegion: sameRegionOption(),
      wait: withDefault(
        flag("--wait", { description: message`Come back only when everything is there: hours or days.` }),
        false,
      ),
    }),
};
