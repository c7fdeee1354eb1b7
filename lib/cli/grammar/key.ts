import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { argument, constant, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { type CommandGrammar, commandParser } from "./command.ts";
import { checkSlot, slotOptions, type SlotRequest } from "./slot_options.ts";
import { file, word } from "./values.ts";

/** Where the passphrase of a new slot comes from; neither: asked for at the terminal. */
export interface NewPassphraseRequest {
  readonly newPassphraseFile: string | undefined;
  readonly newPassphraseCommand: string | undefined;
}

/** `tarzan key add`. */
export interface KeyAddRequest extends SlotRequest, NewPassphraseRequest {
  readonly command: "key add";
  readonly role: "full" | "list" | "write";
  readonly domain: string | undefined;
  readonly label: string | undefined;
  /** Where the key file goes; undefined: a write key to its usual place on this machine, others into the repository. */
  readonly out: string | undefined;
}

/** `tarzan key list`. */
export interface KeyListRequest {
  readonly command: "key list";
}

/** `tarzan key remove`. */
export interface KeyRemoveRequest {
  readonly command: "key remove";
  readonly slot: string;
}

/** `tarzan key passwd`. */
export interface KeyPasswdRequest extends NewPassphraseRequest {
  readonly command: "key passwd";
  /** The slot to replace; undefined: the one that the given key opened. */
  readonly slot: string | undefined;
  readonly passphraseChoice: "ask" | "generate";
}

/** `tarzan key show`. */
export interface KeyShowRequest {
  readonly command: "key show";
}

/** The commands about key slots. */
export type KeysRequest = KeyAddRequest | KeyListRequest | KeyRemoveRequest | KeyPasswdRequest | KeyShowRequest;

function newPassphraseOptions() {
  return {
    newPassphraseFile: optional(option("--new-passphrase-file", file(), {
      description: message`The first line of FILE is the new passphrase (default: ask at the terminal).`,
    })),
    newPassphraseCommand: optional(option("--new-passphrase-command", word("COMMAND"), {
      description: message`The first line that COMMAND prints is the new passphrase.`,
    })),
  };
}

function slotArgument() {
  return argument(word("SLOT"), {
    description: message`A slot's name as "tarzan key list" shows it, or its beginning.`,
  });
}

const add: CommandGrammar<KeyAddRequest> = {
  name: "add",
  brief: "Make another key.",
  description: [
    "A full key can do everything. A list key sees names and sizes but no contents. A write key adds backups and reads " +
    "none: it is a file for one machine, without a passphrase, so that backups there can run unattended.",
  ],
  usage: "--role ROLE [OPTION…]",
  examples: [
    "tarzan key add --role full --label ann",
    "tarzan key add --role write --domain web --out web.key",
    "tarzan key add --role list --recipient age1… --no-passphrase",
  ],
  options: () =>
    map(
      object("Options", {
        command: constant("key add"),
        role: option("--role", choice(["full", "list", "write"], { metavar: "ROLE" }), {
          description: message`What the key can do: full, list or write.`,
        }),
        domain: optional(option("--domain", word("NAME"), {
          description: message`For a write key: the domain whose machines share what they store (default: a new one).`,
        })),
        label: optional(option("--label", word("LABEL"), { description: message`Whose key it is, for "key list".` })),
        out: optional(option("--out", file(), {
          description: message`Write the key to FILE and not into the repository.`,
        })),
        ...slotOptions(),
        ...newPassphraseOptions(),
      }),
      (request) => {
        if (request.role !== "write") checkSlot(request);
        return request;
      },
    ),
};

const listKeys: CommandGrammar<KeyListRequest> = {
  name: "list",
  brief: "List the key slots.",
  usage: "[OPTION…]",
  examples: ["tarzan key list"],
  options: () => object("Options", { command: constant("key list") }),
};

const remove: CommandGrammar<KeyRemoveRequest> = {
  name: "remove",
  brief: "Remove a key slot, but never the last full one.",
  description: [
    "Whoever kept a copy of the slot and knows its passphrase can still open the repository: removing a slot does not " +
    "revoke what it held.",
  ],
  usage: "[OPTION…] SLOT",
  examples: ["tarzan key remove ann-3f9c"],
  options: () => object("Options", { command: constant("key remove"), slot: slotArgument() }),
};

const passwd: CommandGrammar<KeyPasswdRequest> = {
  name: "passwd",
  brief: "Change the passphrase of a key slot.",
  description: [
    "Whoever kept a copy of the old slot and knows the old passphrase can still open the repository.",
  ],
  usage: "[OPTION…] [SLOT]",
  examples: ["tarzan key passwd", "tarzan key passwd ann-3f9c --generate-passphrase"],
  options: () =>
    object("Options", {
      command: constant("key passwd"),
      passphraseChoice: map(
        option("--generate-passphrase", { description: message`Make a passphrase of ten words and print it once.` }),
        (generate) => generate ? "generate" as const : "ask" as const,
      ),
      ...newPassphraseOptions(),
      slot: optional(slotArgument()),
    }),
};

const show: CommandGrammar<KeyShowRequest> = {
  name: "show",
  brief: "Print the recovery sheet: what to keep on paper.",
  usage: "[OPTION…]",
  examples: ["tarzan key show", "tarzan key show | lpr"],
  options: () => object("Options", { command: constant("key show") }),
};

/** `tarzan key …`. */
export const key: CommandGrammar<KeysRequest> = {
  name: "key",
  brief: "Make, list, change and remove keys.",
  usage: "add|list|remove|passwd|show [OPTION…]",
  examples: ["tarzan key list", "tarzan key add --role write --out web.key", "tarzan key add --help"],
  options: (args): Parser<"sync", KeysRequest, unknown> =>
    or(
      commandParser(add, args),
      commandParser(listKeys, args),
      commandParser(remove, args),
      commandParser(passwd, args),
      commandParser(show, args),
      { errors: { noMatch: message`Say what to do: key add, key list, key remove, key passwd or key show.` } },
    ),
};

/** The second words of the commands about keys. */
export const keyCommands: readonly string[] = [add, listKeys, remove, passwd, show].map((grammar) => grammar.name);
