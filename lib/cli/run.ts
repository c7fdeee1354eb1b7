import configuration from "../../deno.json" with { type: "json" };
import { perform } from "./commands/mod.ts";
import type { Environment } from "./environment.ts";
import { UsageError } from "./errors.ts";
import { exitCodeOf } from "./exit_codes.ts";
import { describeFailure } from "./failure.ts";
import { parseCommandLine, type Request } from "./grammar/mod.ts";
import { listenForInterrupts } from "./interrupts.ts";
import { openOutput } from "./output.ts";
import { openSession, type Session, writeOrGiveUp } from "./session.ts";

/** Carries out one request; the answer is the exit code. */
export type Perform = (request: Request, session: Session) => Promise<number>;

/** The widest help: longer lines are hard to read. */
const maxHelpColumns = 100;

/**
 * Runs one command line from its words to its exit code. It never throws: every error is told on standard error, as a
 * sentence or, with --json, as an object.
 */
export async function run(
  args: readonly string[],
  environment: Environment,
  carryOut: Perform = perform,
): Promise<number> {
  try {
    const request = understand(args, environment);
    return request === undefined ? 0 : await carryOutInterruptibly(request, environment, carryOut);
  } catch (error) {
    const style = { json: wantsJson(args), debug: environment.variables()["TARZAN_DEBUG"] === "1" };
    writeOrGiveUp(environment, describeFailure(error, style));
    return exitCodeOf(error);
  }
}

function understand(args: readonly string[], environment: Environment): Request | undefined {
  const { NO_COLOR, COLUMNS } = environment.variables();
  const style = {
    colors: environment.stdout.isTerminal() && !NO_COLOR,
    columns: Math.min(maxHelpColumns, Math.max(40, environment.columns() ?? (Number(COLUMNS) || 80))),
    version: configuration.version,
  };
  if (args.length > 0) return parseCommandLine(args, { ...style, print: openOutput(environment.stdout).print });
  // Without a word: the help, but as a mistake, so that a script notices.
  parseCommandLine(["--help"], { ...style, print: (text) => writeOrGiveUp(environment, text) });
  throw new UsageError("Name a COMMAND.");
}

async function carryOutInterruptibly(request: Request, environment: Environment, carryOut: Perform): Promise<number> {
  const interrupts = listenForInterrupts(environment.exit);
  try {
    const session = await openSession(request, { environment, signal: interrupts.signal });
    try {
      return await carryOut(request, session);
    } finally {
      session.progress.done();
    }
  } catch (error) {
    // What was under way when the signal came may fail in its own words; the user's wish is the reason.
    if (interrupts.signal.aborted && error instanceof DOMException && error.name === "AbortError") {
      throw interrupts.signal.reason;
    }
    throw error;
  } finally {
    interrupts.stop();
  }
}

/** Whether errors are to be told as JSON, also those about the very words. Words after `--` are another program's. */
function wantsJson(args: readonly string[]): boolean {
  const mark = args.indexOf("--");
  return args.slice(0, mark < 0 ? args.length : mark).includes("--json");
}
