import { exitCodeOf } from "./exit_codes.ts";
import { jsonLine } from "./json.ts";
import { printable } from "./printable.ts";

/** Errors that no code of ours throws on purpose: seeing one means a bug. */
const bugs = new Set(["TypeError", "ReferenceError", "AssertionError"]);

/** How a failure is told. */
export interface FailureStyle {
  /** One line of JSON (schema `tarzan.error/1`) instead of a sentence. */
  readonly json: boolean;
  /** Show stacks and causes (`TARZAN_DEBUG=1`). */
  readonly debug: boolean;
}

/** What to print on standard error for an error that ended a command; empty when there is nobody to tell. */
export function describeFailure(error: unknown, style: FailureStyle): string {
  const code = exitCodeOf(error);
  if (error instanceof Error && error.name === "ClosedOutputError") return "";
  const message = error instanceof Error ? error.message || error.name : String(error);
  if (style.json) return jsonLine("tarzan.error/1", { code, message });
  const lines = [`tarzan: ${printable(message)}`];
  if (style.debug) lines.push(printable(stackOf(error)));
  else if (error instanceof Error && bugs.has(error.name)) {
    lines.push(
      `This looks like a bug in TARzan (${error.name}). Run again with TARZAN_DEBUG=1 and report what it prints.`,
    );
  }
  return lines.join("\n") + "\n";
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const stack = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined ? stack : `${stack}\ncaused by ${stackOf(error.cause) || String(error.cause)}`;
}
