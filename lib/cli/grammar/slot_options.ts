import { or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, withDefault } from "@optique/core/modifiers";
import { flag, option } from "@optique/core/primitives";
import { UsageError } from "../errors.ts";
import { file, word } from "./values.ts";

/** Who may open a key slot that is about to be made. */
export interface SlotRequest {
  /** age recipients (`age1…`) given on the command line. */
  readonly recipients: readonly string[];
  /** Files with one age recipient a line. */
  readonly recipientsFiles: readonly string[];
  /** `ask`: a passphrase from wherever passphrases come from; `generate`: make one and print it; `none`: recipients only. */
  readonly passphraseChoice: "ask" | "generate" | "none";
}

/** The options that say who may open a new key slot; spread into the options of a command. */
export function slotOptions() {
  return {
    recipients: multiple(option("--recipient", word("AGE"), {
      description: message`Let this age recipient (age1…) open it too; may be repeated.`,
    })),
    recipientsFiles: multiple(option("--recipients-file", file(), {
      description: message`Let all age recipients in FILE, one a line, open it too; may be repeated.`,
    })),
    passphraseChoice: withDefault(
      or(
        map(
          flag("--generate-passphrase", { description: message`Make a passphrase of ten words and print it once.` }),
          () => "generate" as const,
        ),
        map(
          flag("--no-passphrase", { description: message`Use no passphrase: only the recipients can open it.` }),
          () => "none" as const,
        ),
      ),
      "ask" as const,
      { message: [] },
    ),
  };
}

/** Refuses a slot that nobody could open. */
export function checkSlot(slot: SlotRequest): void {
  if (slot.passphraseChoice !== "none" || slot.recipients.length + slot.recipientsFiles.length > 0) return;
  throw new UsageError(
    "With --no-passphrase somebody else must be able to open it: add --recipient AGE or --recipients-file FILE.",
  );
}
