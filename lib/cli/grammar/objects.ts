/** The commands about single objects: bricks, files of a repository, the detached recipe. */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import { argument, constant, option } from "@optique/core/primitives";
import { backupArgument } from "./shared_options.ts";
import type { CommandGrammar } from "./command.ts";
import { file } from "./values.ts";

/** `tarzan bricks`. */
export interface BricksRequest {
  readonly command: "bricks";
  /** An index file or a snapshot; undefined: the latest. */
  readonly backup: string | undefined;
}

/** `tarzan inspect`. */
export interface InspectRequest {
  readonly command: "inspect";
  readonly file: string;
}

/** `tarzan checksum`. */
export interface ChecksumRequest {
  readonly command: "checksum";
  readonly files: readonly string[];
}

/** `tarzan detach`. */
export interface DetachRequest {
  readonly command: "detach";
  /** An index file or a snapshot; undefined: the latest. */
  readonly backup: string | undefined;
  /** Where the tar goes; undefined: standard output. */
  readonly out: string | undefined;
}

/** `tarzan bricks`. */
export const bricks: CommandGrammar<BricksRequest> = {
  name: "bricks",
  brief: "List the bricks that a backup needs, for sha256sum -c.",
  usage: "[OPTION…] [INDEX]",
  examples: ["tarzan bricks backup.idx", "cd /mnt/backup && tarzan bricks -d . | sha256sum -c --quiet"],
  options: () => object("Options", { command: constant("bricks"), backup: optional(backupArgument("latest")) }),
};

/** `tarzan inspect`. */
export const inspect: CommandGrammar<InspectRequest> = {
  name: "inspect",
  brief: "Say what a file of a repository is, without a key.",
  description: ["Tells as much of a brick, an index, a key slot or a ledger object as can be seen from outside."],
  usage: "[OPTION…] FILE",
  examples: ["tarzan inspect backup.idx", "tarzan inspect /mnt/backup/tarzan.json --json"],
  options: () =>
    object("Options", {
      command: constant("inspect"),
      file: argument(file(), {
        description: message`A file of a repository, or an index.`,
        errors: { endOfInput: message`Name the FILE to look at.` },
      }),
    }),
};

/** `tarzan checksum`. */
export const checksum: CommandGrammar<ChecksumRequest> = {
  name: "checksum",
  brief: "Print SHA-256, Glacier tree hash and length of files.",
  description: ["One line for each file: SHA-256, tree hash, length in bytes, name."],
  usage: "[OPTION…] FILE…",
  examples: ["tarzan checksum archive.tar", "tarzan checksum --json bricks/*/*"],
  options: () =>
    object("Options", {
      command: constant("checksum"),
      files: multiple(argument(file(), { description: message`The files to read.` }), {
        min: 1,
        errors: { tooFew: message`Name at least one FILE to read.` },
      }),
    }),
};

/** `tarzan detach`. */
export const detach: CommandGrammar<DetachRequest> = {
  name: "detach",
  brief: "Write a backup's recipe as a tar for listing.",
  description: ["The same entries as in the backup; in place of each file's contents are the ids of its chunks."],
  usage: "[OPTION…] [INDEX]",
  examples: ["tarzan detach backup.idx --out listing.tar", "tarzan detach latest | tar tv"],
  options: () =>
    object("Options", {
      command: constant("detach"),
      out: optional(option("--out", file(), { description: message`Write to FILE (default: standard output).` })),
      backup: optional(backupArgument("latest")),
    }),
};
