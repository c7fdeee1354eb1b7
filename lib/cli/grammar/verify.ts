import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, withDefault } from "@optique/core/modifiers";
import { constant, flag, option } from "@optique/core/primitives";
import { backupArgument } from "./shared_options.ts";
import type { CommandGrammar } from "./command.ts";
import { percent } from "./values.ts";

/** `tarzan verify`. */
export interface VerifyRequest {
  readonly command: "verify";
  /** Index files or snapshots; empty: all of the repository. */
  readonly backups: readonly string[];
  /** Read every brick and compare its SHA-256 with its name. */
  readonly bricks: boolean;
  /** How much of the data to read, decrypt and compare, in percent; 0: none. */
  readonly dataPercent: number;
  /** Judge vaults by an inventory that was asked for after their newest archive. */
  readonly inventory: boolean;
}

/** `tarzan verify`. */
export const verify: CommandGrammar<VerifyRequest> = {
  name: "verify",
  brief: "Check that backups are complete and intact.",
  description: [
    "Checks the seals of all indexes, that every brick is there in full length, and that every chunk can be found. This " +
    "reads no data. It says what it could not check with your key, and which files damage touches; then it exits with 4.",
    "Whoever only stores a repository can check it with --bricks and no key at all: press Enter at the question.",
  ],
  usage: "[OPTION…] [INDEX…]",
  examples: ["tarzan verify", "tarzan verify backup.idx --data", "tarzan verify --bricks --data=10%"],
  options: () =>
    object("Options", {
      command: constant("verify"),
      bricks: withDefault(
        flag("--bricks", {
          description: message`Also read every brick and compare its SHA-256 with its name (works without a key).`,
        }),
        false,
      ),
      dataPercent: withDefault(
        // `--data` alone must not take the next word as its percentage, so the bare flag is tried first.
        or(
          map(flag("--data", { description: message`Also read, decrypt and compare everything.` }), () => 100),
          option("--data", percent(), { description: message`The same for a random part, written --data=10%.` }),
        ),
        0,
        { message: [] },
      ),
      inventory: withDefault(
        flag("--inventory", {
          description:
            message`Also ask Glacier vaults for an inventory: run it again hours later, when that can be read.`,
        }),
        false,
      ),
      backups: multiple(backupArgument("all of them")),
    }),
};
