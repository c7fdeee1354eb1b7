/**
 * The grammar of the command line: words in, one typed request out. Help, completions and suggestions for mistyped words
 * come from the same description.
 */
import { group, merge, or } from "@optique/core/constructs";
import { runParser } from "@optique/core/facade";
import { formatMessage, lineBreak, type Message, text } from "@optique/core/message";
import type { Parser } from "@optique/core/parser";
import { UsageError } from "../errors.ts";
import { exitCodes } from "../exit_codes.ts";
import { bucketOptions, type BucketRequest } from "./bucket_options.ts";
import { commandParser } from "./command.ts";
import {
  generalOptions,
  type GeneralRequest,
  keyOptions,
  type KeyRequest,
  repositoryOptions,
  type RepositoryRequest,
} from "./shared_options.ts";
import { cost, type CostRequest } from "./cost.ts";
import { create, type CreateRequest } from "./create.ts";
import { drill, type DrillRequest } from "./drill.ts";
import { extract, type ExtractRequest } from "./extract.ts";
import { glacierUpload, type GlacierUploadRequest } from "./glacier_upload.ts";
import { init, type InitRequest } from "./init.ts";
import { key, keyCommands, type KeysRequest } from "./key.ts";
import { list, type ListRequest } from "./list.ts";
import {
  bricks,
  type BricksRequest,
  checksum,
  type ChecksumRequest,
  detach,
  type DetachRequest,
  inspect,
  type InspectRequest,
} from "./objects.ts";
import { rebuild, type RebuildRequest } from "./rebuild.ts";
import { plan, type PlanRequest } from "./plan.ts";
import { thaw, type ThawRequest } from "./thaw.ts";
import { verify, type VerifyRequest } from "./verify.ts";

/** A command about a repository, which may need its keys. */
export type RepositoryCommand =
  & (
    | InitRequest
    | CreateRequest
    | ExtractRequest
    | ListRequest
    | VerifyRequest
    | GlacierUploadRequest
    | PlanRequest
    | ThawRequest
    | CostRequest
    | DrillRequest
    | BricksRequest
    | RebuildRequest
    | DetachRequest
    | KeysRequest
  )
  & GeneralRequest
  & RepositoryRequest
  & { readonly bucket: BucketRequest }
  & KeyRequest;

/** A command about files, without repository or keys. */
export type FileCommand = (InspectRequest | ChecksumRequest) & GeneralRequest;

/** Everything a command line can ask for, told apart by `command`. */
export type Request = RepositoryCommand | FileCommand;

/** The request of one command. */
export type RequestOf<Name extends Request["command"]> = Extract<Request, { readonly command: Name }>;

/** How the help is shown. */
export interface HelpStyle {
  /** Prints help, version, completions. */
  readonly print: (text: string) => void;
  readonly colors: boolean;
  readonly columns: number;
  readonly version: string;
}

/**
 * Understands a command line. Undefined means that it asked for help, the version or completions, which have been
 * printed. Words that make no sense throw a UsageError.
 */
export function parseCommandLine(args: readonly string[], style: HelpStyle): Request | undefined {
  return runParser(rootParser(args), "tarzan", args, {
    help: { command: { group: "Help" }, option: { group: "Help" }, onShow: () => undefined },
    version: { value: `tarzan ${style.version}`, option: { group: "Help" }, onShow: () => undefined },
    completion: { command: { group: "Help" }, onShow: () => undefined },
    brief: [text("TARzan keeps what tar says: encrypted, deduplicated, and back to the byte.")],
    usageLine: [{ type: "literal", value: "COMMAND [OPTION…]" }],
    footer: rootFooter,
    commandList: "top-level",
    aboveError: "none",
    showDefault: { prefix: " (default: ", suffix: ")" },
    termWidth: 28,
    colors: style.colors,
    maxWidth: style.columns,
    stdout: (page) => {
      // Completions come one by one, some of them only a line end: what the shells read is one a line.
      const shown = page.replace(/ +$/gm, "").trimEnd();
      if (shown !== "") style.print(`${shown}\n`);
    },
    stderr: () => {},
    onError: (_code, error) => {
      throw new UsageError(explain(error, args));
    },
  });
}

function rootParser(args: readonly string[]): Parser<"sync", Request, unknown> {
  const everyday = or(...[create, extract, list, verify].map((grammar) => commandParser<object>(grammar, args)));
  const repository = or(...[init, key, rebuild, bricks].map((grammar) => commandParser<object>(grammar, args)));
  const cold = or(...[plan, thaw, cost, drill, glacierUpload].map((grammar) => commandParser<object>(grammar, args)));
  const files = or(...[inspect, checksum, detach].map((grammar) => commandParser<object>(grammar, args)));
  // No type can say which branches are names only (see commandParser), hence the casts here and below: the commands that
  // are on the line have their full options, and only those can be chosen.
  const commands = or(
    group("Everyday commands", everyday),
    group("Commands for a repository", repository),
    group("Commands for cold storage", cold),
    group("Commands for files", files),
  ) as unknown as Parser<"sync", Record<string, unknown>, Record<string, unknown>>;
  const keys = keyUse(args);
  const parser = keys === "none"
    ? merge(commands, generalOptions())
    : merge(commands, repositoryOptions(), bucketOptions(keys), keyOptions(keys), generalOptions());
  return parser as unknown as Parser<"sync", Request, unknown>;
}

const withoutKeys: readonly string[] = [inspect, checksum].map((grammar) => grammar.name);
const withKeys: readonly string[] = [
  ...[create, extract, list, verify, init, key, rebuild, bricks, detach],
  ...[glacierUpload, plan, thaw, cost, drill],
].map((grammar) => grammar.name);

/** Whether the options for keys are taken and shown; without a command on the line they are taken, but would be noise. */
function keyUse(args: readonly string[]): "shown" | "hidden" | "none" {
  if (args.some((arg) => withKeys.includes(arg))) return "shown";
  return args.some((arg) => withoutKeys.includes(arg)) ? "none" : "hidden";
}

const rootFooter: Message = lines([
  "Examples:",
  "  tar c ~/Documents | tarzan create --init     the first backup",
  "  tarzan list                                  what backups are there",
  "  tarzan verify                                are they whole",
  "  tarzan extract latest | tar x                get one back",
  "  tarzan create --help                         more about a command",
  "",
  "Exit codes:",
  ...exitCodes.map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`),
]);

function lines(all: readonly string[]): Message {
  return all.flatMap((line, index) => index === 0 ? [text(line)] : [lineBreak(), text(line)]);
}

/** A parse error as a sentence, with the way to the right help. */
function explain(error: Message, args: readonly string[]): string {
  const sentence = formatMessage(error, { quotes: true }).replace(/\n{2,}/g, "\n").replace(/`(\S+)`/g, "$1");
  const at = args.findIndex((arg) => withKeys.includes(arg) || withoutKeys.includes(arg));
  const named = at < 0
    ? []
    : args.slice(at, args[at] === key.name && keyCommands.includes(args[at + 1] ?? "") ? at + 2 : at + 1);
  return `${sentence}\nTry: ${["tarzan", ...named, "--help"].join(" ")}`;
}
