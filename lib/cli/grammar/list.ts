import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, constant, flag } from "@optique/core/primitives";
import { backupArgument, noCacheOption } from "./shared_options.ts";
import type { CommandGrammar } from "./command.ts";
import { word } from "./values.ts";

/** `tarzan list`. */
export interface ListRequest {
  readonly command: "list";
  /** An index file or a snapshot, whose entries are listed; undefined: the snapshots are. */
  readonly backup: string | undefined;
  /** Only entries that one of these matches; empty: all. */
  readonly globs: readonly string[];
  readonly long: boolean;
  readonly noCache: boolean;
}

/** `tarzan list`. */
export const list: CommandGrammar<ListRequest> = {
  name: "list",
  brief: "List the backups, or what is in one.",
  usage: "[OPTION…] [INDEX] [GLOB…]",
  examples: ["tarzan list", "tarzan list latest --long", "tarzan list backup.idx '**/*.jpg'"],
  options: () =>
    object("Options", {
      command: constant("list"),
      long: withDefault(
        flag("-l", "--long", {
          description: message`Show entries like "tar tv", with times in UTC; show domains and bricks of backups.`,
        }),
        false,
      ),
      noCache: noCacheOption(),
      backup: optional(backupArgument("list the backups themselves")),
      globs: multiple(argument(word("GLOB"), {
        description: message`Only entries whose path matches: * ? [] within a name, ** across directories.`,
      })),
    }),
};
