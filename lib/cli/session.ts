import { childEnvironment } from "./child_environment.ts";
import type { Environment, InputStream } from "./environment.ts";
import type { Request } from "./grammar/mod.ts";
import { jsonLine } from "./json.ts";
import { openOutput, type Output } from "./output.ts";
import { configPlace, repositoryPlace, statePlace } from "./places.ts";
import { printable } from "./printable.ts";
import { noProgress, ProgressLine } from "./progress_line.ts";
import type { Progress } from "./progress.ts";
import type { BucketChoice } from "../verbs/mod.ts";
import { askPassphrase, askYes } from "./prompts.ts";
import { newSecrets, openingSecrets, type Secrets } from "./secrets.ts";

/** Where things are. Each is a function because finding it may fail, which matters only to a command that needs it. */
export interface Places {
  repository(): string;
  /** Catalogues, spool, and what this machine remembers of repositories. */
  state(): string;
  /** Pins and local key files. */
  config(): string;
}

/** All that a command gets of the outside besides its request; the parts that verbs need are handed on to them. */
export interface Session {
  readonly places: Places;
  /** Whether the user named the repository; if not, an index file may know a better place than the default. */
  readonly repositoryGiven: boolean;
  /** How a repository in a bucket is reached and written. */
  readonly bucket: BucketChoice;
  /** The keys that open the repository. */
  readonly secrets: Secrets;
  /** The passphrase of a slot that is about to be written by `key add` and `key passwd`. */
  readonly newSecrets: Secrets;
  readonly stdin: InputStream;
  readonly stdout: Output;
  readonly progress: Progress;
  /** Aborted when the user or the system wants us to stop; its reason is the error to end with. */
  readonly signal: AbortSignal;
  /** How many threads may work; undefined: as many as there are processors. */
  readonly threads: number | undefined;
  /** Whether what entries are called may be kept on this machine, so that listing them again is fast. */
  readonly keepsEntries: boolean;
  readonly now: () => Date;
  /** For `Deno.Command` with `clearEnv: true`. */
  readonly childEnvironment: () => Record<string, string>;
  /** Prints a result on standard error, where standard output is for something else. Not silenced by --quiet. */
  tell(text: string): void;
  /** Tells something on standard error that the user should know though the command goes on. */
  warn(message: string): void;
  /** Tells something on standard error that --quiet silences. */
  note(message: string): void;
  /** Asks for a typed `yes`; `instead` says what to write on the command line when nobody can be asked. */
  askYes(text: string, instead: string): Promise<boolean>;
}

/** Prepares a session. Reads the files given with --identity; asks nothing yet. */
export async function openSession(
  request: Request,
  { environment, signal }: { readonly environment: Environment; readonly signal: AbortSignal },
): Promise<Session> {
  const progress = openProgress(request, environment);
  const terminal = environment.terminal(signal);
  const tell = (text: string) => {
    progress.clear();
    writeOrGiveUp(environment, printable(text));
  };
  const say = (kind: "warning" | "note", message: string) => {
    if (request.json) tell(jsonLine(`tarzan.${kind}/1`, { message }));
    else tell(kind === "warning" ? `tarzan: warning: ${message}\n` : `${message}\n`);
  };
  const around = {
    variables: environment.variables,
    variable: (name: string) => environment.variables()[name],
    platform: environment.platform,
    ...(environment.home === undefined ? {} : { home: environment.home }),
    warn: (message: string) => say("warning", message),
    ask: (question: { purpose: string; confirm: boolean; instead: string }) => {
      progress.clear();
      return askPassphrase(terminal, question);
    },
  };
  const keys = "identityFiles" in request ? request : { identityFiles: [], repository: undefined };
  return {
    places: {
      repository: () => repositoryPlace(around, keys.repository),
      state: () => statePlace(around),
      config: () => configPlace(around),
    },
    repositoryGiven: Boolean(keys.repository ?? environment.variables()["TARZAN_REPOSITORY"]),
    bucket: bucketChoice(request),
    secrets: await openingSecrets(keys, around),
    newSecrets: newSecrets("newPassphraseFile" in request ? request : {}, around),
    stdin: environment.stdin,
    stdout: outputBeside(progress, openOutput(environment.stdout)),
    progress,
    signal,
    threads: request.threads,
    keepsEntries: !("noCache" in request && request.noCache) && !environment.variables()["TARZAN_NO_CACHE"],
    now: environment.now,
    childEnvironment: () => childEnvironment(environment.variables()),
    tell,
    warn: around.warn,
    note: (message) => request.quiet ? undefined : say("note", message),
    askYes(text, instead) {
      progress.clear();
      return askYes(terminal, { text, instead });
    },
  };
}

/** What the command line says of a bucket; what it does not say is left out. */
function bucketChoice(request: Request): BucketChoice {
  const said = {
    ...("bucket" in request ? request.bucket : {}),
    ...("brickStorage" in request ? request.brickStorage : {}),
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

function openProgress(request: Request, environment: Environment): Progress & { clear(): void } {
  const isTerminal = environment.stderr.isTerminal();
  if (!(request.progress ?? (isTerminal && !request.quiet))) return { ...noProgress, clear() {} };
  return new ProgressLine({
    write: (text) => writeOrGiveUp(environment, text),
    isTerminal,
    columns: () => environment.columns() ?? 80,
    nowMs: environment.nowMs,
  });
}

/** On one terminal, results must not end up in the middle of the progress line. */
function outputBeside(progress: { clear(): void }, output: Output): Output {
  if (!output.isTerminal) return output;
  return {
    write(bytes) {
      progress.clear();
      return output.write(bytes);
    },
    print(text) {
      progress.clear();
      output.print(text);
    },
    isTerminal: true,
  };
}

/** Writes to standard error; when that is closed there is nobody left who could be told, not even of this. */
export function writeOrGiveUp(environment: Pick<Environment, "stderr">, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += environment.stderr.writeSync(bytes.subarray(at));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
