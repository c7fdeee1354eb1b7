/** The words after a campaign's name: `--name VALUE`, numbers all but `--only`, and flags that stand alone. */
import { anySeed } from "./numbers.ts";

/** What a campaign was told; what was not is as `usual` says. */
export interface Options {
  readonly seed: number;
  readonly amount: number;
  /** Only what has this text in its name. */
  readonly only: string;
}

/**
 * Reads the options of a campaign; `amount` is the name of the one that says how long it goes on, `flags` are words
 * that this campaign looks for itself, such as `--full`.
 */
export function readOptions(amount: { name: string; usual: number }, flags: readonly string[] = []): Options {
  let options: Options = { seed: anySeed(), amount: amount.usual, only: "" };
  const words = Deno.args.filter((word) => !flags.includes(word));
  for (let at = 0; at < words.length; at += 2) {
    const [name, value] = [words[at]!, words[at + 1] ?? ""];
    if (name === "--only") options = { ...options, only: value };
    else if (name === "--seed") options = { ...options, seed: wholeNumber(name, value) };
    else if (name === `--${amount.name}`) options = { ...options, amount: wholeNumber(name, value) };
    else {throw new Error(
        `${name} is no option here: there are ${["--seed", "--only", `--${amount.name}`, ...flags].join(", ")}`,
      );}
  }
  return options;
}

function wholeNumber(name: string, value: string): number {
  if (!/^[0-9]+$/.test(value)) throw new Error(`${name} takes a whole number, not "${value}"`);
  return Number(value);
}
