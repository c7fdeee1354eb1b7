import { object } from "@optique/core/constructs";
import { lineBreak, type Message, text } from "@optique/core/message";
import type { Parser } from "@optique/core/parser";
import { command } from "@optique/core/primitives";

/** A command of the command line: its words for the help, and its options. */
export interface CommandGrammar<Request> {
  /** The last word of its name: `add` for `key add`. */
  readonly name: string;
  /** One sentence, for the list of commands and the top of its own help. */
  readonly brief: string;
  /** What a newcomer should know beyond that; one string a paragraph. */
  readonly description?: readonly string[];
  /** What follows the name in the usage line: `[INDEX] [PATH…]`. */
  readonly usage: string;
  /** Whole command lines that work as they stand. */
  readonly examples: readonly string[];
  /** Its options and arguments. `args` is the whole command line: only what it names needs to be built. */
  readonly options: (args: readonly string[]) => Parser<"sync", Request, unknown>;
}

/** The parser of one command. A command that is not on the line is built as a name only. */
export function commandParser<Request>(
  grammar: CommandGrammar<Request>,
  args: readonly string[],
): Parser<"sync", Request, unknown> {
  const brief = [text(grammar.brief)];
  // Building all options of all commands takes longer than starting Deno does. A command that is not on the line is never
  // chosen, so its missing options are never missed; what is left of it serves the list of commands and "did you mean".
  if (!args.includes(grammar.name)) {
    return command(grammar.name, object({}), { brief }) as unknown as Parser<"sync", Request, unknown>;
  }
  return command(grammar.name, grammar.options(args), {
    brief,
    description: paragraphs(grammar.description ?? []),
    footer: examples(grammar.examples),
    usageLine: [{ type: "literal", value: grammar.usage }],
  });
}

/** Text with an empty line between its paragraphs. */
function paragraphs(all: readonly string[]): Message {
  return all.flatMap((paragraph, index) =>
    index === 0 ? [text(paragraph)] : [lineBreak(), lineBreak(), text(paragraph)]
  );
}

function examples(lines: readonly string[]): Message {
  const shown = lines.flatMap((line) => [lineBreak(), text(`  ${line}`)]);
  return [
    text(lines.length === 1 ? "Example:" : "Examples:"),
    ...shown,
    lineBreak(),
    lineBreak(),
    text(exitCodesPointer),
  ];
}

const exitCodesPointer = 'The exit codes are listed by "tarzan --help".';
