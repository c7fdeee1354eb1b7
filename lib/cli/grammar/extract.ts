import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional } from "@optique/core/modifiers";
import { argument, constant, option } from "@optique/core/primitives";
import { backupArgument, noCacheOption } from "./shared_options.ts";
import type { CommandGrammar } from "./command.ts";
import { directory, file, word } from "./values.ts";

/** `tarzan extract`. */
export interface ExtractRequest {
  readonly command: "extract";
  /** An index file or a snapshot; undefined: the latest. */
  readonly backup: string | undefined;
  /** Names or globs of the entries wanted; empty: the whole stream, to the byte. */
  readonly paths: readonly string[];
  /** The directory to run the system's tar in; undefined: the tar goes to standard output. */
  readonly to: string | undefined;
  readonly noCache: boolean;
}

/** `tarzan extract`. */
export const extract: CommandGrammar<ExtractRequest> = {
  name: "extract",
  brief: "Get a backup back as the tar it was, or a part of it.",
  description: [
    "Writes the tar to standard output: without a PATH the same bytes that went in, with PATHs a valid tar of just those " +
    "entries. With --to the system's tar unpacks it there.",
    "What there is of an incomplete backup is written all the same, with a warning and exit code 3.",
  ],
  usage: "[OPTION…] [INDEX] [PATH…]",
  examples: [
    "tarzan extract backup.idx | tar x",
    "tarzan extract latest 'etc/*.conf' --to restored",
    "tarzan extract --in backup.idx home/ann/thesis.tex | tar xO",
  ],
  options: () =>
    map(
      object("Options", {
        command: constant("extract"),
        to: optional(option("--to", directory(), { description: message`Unpack into DIR with the system's tar.` })),
        index: optional(option("--in", file("INDEX"), {
          description: message`The backup, when every argument is to be a PATH.`,
        })),
        noCache: noCacheOption(),
        backup: optional(backupArgument("latest")),
        paths: multiple(argument(word("PATH"), {
          description:
            message`An entry or a directory, as "tarzan list" shows it; * ? [] and ** match. Default: everything.`,
        })),
      }),
      ({ index, backup, paths, ...rest }) =>
        index === undefined
          ? { ...rest, backup, paths }
          : { ...rest, backup: index, paths: backup === undefined ? paths : [backup, ...paths] },
    ),
};
