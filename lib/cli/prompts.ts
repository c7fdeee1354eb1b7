import { NoTerminalError, UsageError } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/** How often a new passphrase may be mistyped. */
const attempts = 3;

/** A passphrase to ask for. */
export interface PassphraseQuestion {
  /** What it is for, as the question's continuation: `to open /srv/backup`. */
  readonly purpose: string;
  /** A new passphrase: asked for twice, never empty. */
  readonly confirm: boolean;
  /** What to write on the command line when there is no terminal. */
  readonly instead: string;
}

/** Asks for a passphrase without showing it. Without a terminal: a UsageError that says what to use instead. */
export async function askPassphrase(terminal: Terminal, question: PassphraseQuestion): Promise<string> {
  try {
    if (!question.confirm) return await terminal.readLine(`Passphrase ${question.purpose}: `, { hidden: true });
    return await askNewPassphrase(terminal, question.purpose);
  } catch (error) {
    if (!(error instanceof NoTerminalError)) throw error;
    throw new UsageError(
      `A passphrase ${question.purpose} is needed and there is no terminal to ask at. Give it with ${question.instead}.`,
    );
  }
}

async function askNewPassphrase(terminal: Terminal, purpose: string): Promise<string> {
  let prefix = "";
  for (let attempt = 0; attempt < attempts; attempt++) {
    const first = await terminal.readLine(`${prefix}New passphrase ${purpose}: `, { hidden: true });
    if (first === "") {
      prefix = "It must not be empty. ";
      continue;
    }
    if (await terminal.readLine("The same again: ", { hidden: true }) === first) return first;
    prefix = "The two differ. ";
  }
  throw new UsageError(`No passphrase ${purpose} was typed the same way twice; nothing was changed.`);
}

/** Asks a question that only a typed `yes` answers. Without a terminal: a UsageError that says what to use instead. */
export async function askYes(terminal: Terminal, question: { text: string; instead: string }): Promise<boolean> {
  try {
    const answer = await terminal.readLine(`${question.text} Type yes to go on: `, { hidden: false });
    return answer.trim().toLowerCase() === "yes";
  } catch (error) {
    if (!(error instanceof NoTerminalError)) throw error;
    throw new UsageError(`${question.text} There is no terminal to ask at; ${question.instead}.`);
  }
}
