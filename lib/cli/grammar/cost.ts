import { object } from "@optique/core/constructs";
import { constant } from "@optique/core/primitives";
import type { CommandGrammar } from "./command.ts";

/** `tarzan cost`. */
export interface CostRequest {
  readonly command: "cost";
}

/** `tarzan cost`. */
export const cost: CommandGrammar<CostRequest> = {
  name: "cost",
  brief: "Say what the repository costs a month.",
  description: [
    "By place and storage class, from the ledger and a listing of the repository; no cold store is asked. Many classes bill " +
    "a minimum time: what is removed before is paid for all the same.",
    'Prices are estimates from a dated table; put your own into "prices.json" in the configuration directory.',
  ],
  usage: "[OPTION…]",
  examples: ["tarzan cost", "tarzan cost --json"],
  options: () => object("Options", { command: constant("cost") }),
};
