import { object } from "@optique/core/constructs";
import { message, text } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import type { InferValue, Parser } from "@optique/core/parser";
import { argument, flag, negatableFlag, option } from "@optique/core/primitives";
import { directory, file, number, word } from "./values.ts";

/** Makes an option optional, and shows in the help what happens without it. */
export function byDefault<T, State>(
  parser: Parser<"sync", T, State>,
  standard: { readonly value: T; readonly shown: string },
) {
  return withDefault(parser, () => standard.value, { message: [text(standard.shown)] });
}

/** Options of every command. */
export function generalOptions() {
  return object("Options of every command", {
    json: withDefault(flag("--json", { description: message`Print results, warnings and errors as JSON.` }), false),
    progress: optional(negatableFlag({ positive: "--progress", negative: "--no-progress" }, {
      description: message`Show progress on standard error (default: if that is a terminal).`,
    })),
    threads: optional(option("--threads", number({ min: 1, max: 256 }), {
      description: message`How many threads work at once (default: one per processor, at most 8).`,
    })),
    quiet: withDefault(
      flag("-q", "--quiet", { description: message`Print only errors and what was asked for.` }),
      false,
    ),
  });
}

/** Which repository. */
export function repositoryOptions() {
  return object("Repository", {
    repository: optional(option("-d", "--repository", directory("PLACE"), {
      description:
        message`A directory, or s3://BUCKET/PREFIX (default: $TARZAN_REPOSITORY, else a folder among your data).`,
    })),
  });
}

/** The keys that open the repository. */
export function keyOptions(use: "shown" | "hidden") {
  return object("Keys (default: $TARZAN_PASSPHRASE, else asked for)", {
    identityFiles: multiple(option("--identity", file(), {
      description: message`An age identity or a TARzan key file; may be repeated.`,
    })),
    passphraseFile: optional(option("--passphrase-file", file(), {
      description: message`Its first line is the passphrase.`,
    })),
    passphraseCommand: optional(option("--passphrase-command", word("COMMAND"), {
      description: message`A shell command whose first line of output is the passphrase.`,
    })),
    passphrase: optional(option("-P", "--passphrase", word("PASSPHRASE"), {
      description:
        message`The passphrase itself. Others on this machine can see it: better use one of the above, or $TARZAN_PASSPHRASE.`,
    })),
    pin: optional(option("--pin", word("CODE"), {
      description: message`The code that init or key add printed, for the first contact with a repository.`,
    })),
  }, { hidden: use === "shown" ? false : "help" });
}

/** Whether names of files may stay on this machine. */
export function noCacheOption() {
  return withDefault(
    flag("--no-cache", {
      description:
        message`Neither use nor keep names of entries on this machine: they make the next listing fast (default: kept, unless $TARZAN_NO_CACHE is set).`,
    }),
    false,
  );
}

/** A backup: an index file, or a snapshot's name. `absent` says what is done without one. */
export function backupArgument(absent: string) {
  const words = 'A backup: its index file, the name of its snapshot or the beginning of it, or "latest"';
  return argument(file("INDEX"), { description: [text(`${words} (default: ${absent}).`)] });
}

/** What the options of every command come to. */
export type GeneralRequest = InferValue<ReturnType<typeof generalOptions>>;
/** What the option for the repository comes to. */
export type RepositoryRequest = InferValue<ReturnType<typeof repositoryOptions>>;
/** What the options for keys come to. */
export type KeyRequest = InferValue<ReturnType<typeof keyOptions>>;
