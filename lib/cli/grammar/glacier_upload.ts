import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import { constant, flag, option } from "@optique/core/primitives";
import type { CommandGrammar } from "./command.ts";
import { coldPlace, number } from "./values.ts";

/** `tarzan glacier-upload`. */
export interface GlacierUploadRequest {
  readonly command: "glacier-upload";
  /** The cold store; undefined: the one that the repository was made with. */
  readonly to: string | undefined;
  readonly dryRun: boolean;
  readonly dropLocal: boolean;
  readonly parallel: number | undefined;
}

/** `tarzan glacier-upload`. */
export const glacierUpload: CommandGrammar<GlacierUploadRequest> = {
  name: "glacier-upload",
  brief: "Bring everything into cold storage that is not there yet.",
  description: [
    "Sends large data bricks one by one, and everything else (small bricks, recipes, ledger, indexes, key slots) as one " +
    "tar, so that cold storage and a key restore everything. Interrupted, it goes on where it was.",
    "The repository keeps its own copies; with --drop-local it lets go of data that cold storage says it holds.",
  ],
  usage: "[OPTION…]",
  examples: [
    "tarzan glacier-upload",
    "tarzan glacier-upload --dry-run",
    "tarzan glacier-upload --drop-local --parallel 4",
    "tarzan glacier-upload --to glacier://eu-central-1/my-vault",
  ],
  options: () =>
    object("Options", {
      command: constant("glacier-upload"),
      to: optional(option("--to", coldPlace(), {
        description:
          message`Where to: s3://BUCKET?class=CLASS, or glacier://REGION/VAULT (default: as "init" was told).`,
      })),
      dryRun: withDefault(
        flag("--dry-run", { description: message`Only tell what would be sent, and what it would cost.` }),
        false,
      ),
      dropLocal: withDefault(
        flag("--drop-local", {
          description: message`Remove the repository's copies of data that cold storage itself confirms to hold.`,
        }),
        false,
      ),
      parallel: optional(option("--parallel", number({ min: 1, max: 32 }), {
        description: message`How many uploads at once (default: 2).`,
      })),
    }),
};
