import { message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { backupArgument } from "./shared_options.ts";
import { file, word } from "./values.ts";

/** What of a backup is meant. */
export interface SelectionRequest {
  /** An index file or a snapshot; undefined: the latest. */
  readonly backup: string | undefined;
  /** Names or globs of the entries wanted; empty: the whole stream, to the byte. */
  readonly paths: readonly string[];
}

/** The arguments INDEX and PATH, and `--in` for when every argument is a PATH. */
export function selectionArguments() {
  return {
    index: optional(option("--in", file("INDEX"), {
      description: message`The backup, when every argument is to be a PATH.`,
    })),
    backup: optional(backupArgument("latest")),
    paths: multiple(argument(word("PATH"), {
      description:
        message`An entry or a directory, as "tarzan list" shows it; * ? [] and ** match. Default: everything.`,
    })),
  };
}

/** What those words come to. */
export function selectionRequest<Words extends SelectionRequest & { readonly index: string | undefined }>(
  { index, ...words }: Words,
): Omit<Words, "index"> & SelectionRequest {
  if (index === undefined) return words;
  const { backup, paths } = words;
  return { ...words, backup: index, paths: backup === undefined ? paths : [backup, ...paths] };
}
