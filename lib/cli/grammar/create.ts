import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, constant, flag, option } from "@optique/core/primitives";
import { UsageError } from "../errors.ts";
import { bucketWriterOptions, type BucketWriterRequest } from "./bucket_options.ts";
import type { CommandGrammar } from "./command.ts";
import { foundingOptions, type FoundingRequest, foundingRequest, type FoundingWords } from "./init.ts";
import { file, word } from "./values.ts";
import { writerOptions, type WriterRequest } from "./writer_options.ts";

/** `tarzan create`. */
export interface CreateRequest extends WriterRequest {
  readonly command: "create";
  /** Where to put a second copy of the index. */
  readonly out: string | undefined;
  readonly label: string | undefined;
  readonly tags: readonly string[];
  /** Given with --init: the repository to make when there is none. */
  readonly founding: FoundingRequest | undefined;
  readonly brickStorage: BucketWriterRequest;
  /** Send nothing to cold storage now. */
  readonly defer: boolean;
  /** The program whose output is backed up, with its arguments; empty: standard input is. */
  readonly producer: readonly string[];
}

/** `tarzan create`. */
export const create: CommandGrammar<CreateRequest> = {
  name: "create",
  brief: "Back up a tar stream.",
  description: [
    "Reads a tar from standard input, stores what the repository does not have yet, and keeps the rest as references.",
    "Given a COMMAND after --, it is run and its output backed up. This is the safer way: when tar fails, TARzan " +
    "notices, marks the backup as incomplete and exits with 3.",
  ],
  usage: "[OPTION…] [-- COMMAND…]",
  examples: [
    "tar c ~/Documents | tarzan create --init",
    "tarzan create --label nightly -- tar c --sort=name --one-file-system /",
    "tarzan create --out backup.idx --tag server --tag daily < backup.tar",
  ],
  options: (args) =>
    map(
      merge(
        object("Options", {
          command: constant("create"),
          out: optional(option("--out", file(), {
            description: message`Also write the index, a small file that names this backup, to FILE.`,
          })),
          label: optional(option("--label", word("LABEL"), { description: message`A name for people.` })),
          tags: multiple(
            option("--tag", word("TAG"), { description: message`A word to find it by; may be repeated.` }),
          ),
          ...writerOptions(),
          defer: withDefault(
            flag("--defer", {
              description:
                message`Send nothing to cold storage now; "glacier-upload" or the next backup does. (Only with "init --cold".)`,
            }),
            false,
          ),
          producer: multiple(argument(word("COMMAND"), {
            description: message`After "--": a program and its arguments, whose output is the tar.`,
          })),
        }),
        bucketWriterOptions(),
        object("For the first backup", {
          init: withDefault(
            flag("--init", {
              description:
                message`Make the repository if there is none yet; its recovery sheet goes to standard error.`,
            }),
            false,
          ),
          ...foundingOptions(),
        }),
      ),
      (words) => createRequest(words, args),
    ),
};

type CreateWords = Omit<CreateRequest, "founding"> & FoundingWords & { readonly init: boolean };

function createRequest(words: CreateWords, args: readonly string[]): CreateRequest {
  const { command, out, label, tags, level, brickSizeBytes, brickStorage, defer, producer, init } = words;
  const mark = args.indexOf("--");
  if (producer.length > 0 && (mark < 0 || args.length - mark - 1 !== producer.length)) {
    throw new UsageError(
      `"${producer[0]}" is not an option. TARzan reads a tar from standard input (tarzan create < backup.tar), ` +
        `or runs a program given after "--" (tarzan create -- tar c DIR).`,
    );
  }
  if (mark >= 0 && producer.length === 0) {
    throw new UsageError('After "--" there must be a program whose output is a tar.');
  }
  if (!init) refuseWithoutInit(args.slice(0, mark < 0 ? args.length : mark));
  const founding = init ? foundingRequest(words) : undefined;
  return { command, out, label, tags, level, brickSizeBytes, brickStorage, defer, producer, founding };
}

const needInit = /^--(cold|chunk-(min|average|max)|recipient|recipients-file|generate-passphrase|no-passphrase)(=|$)/;

/** Options that would shape a new repository must not be taken in silence when none is to be made. */
function refuseWithoutInit(args: readonly string[]): void {
  const option = args.find((arg) => needInit.test(arg))?.split("=")[0];
  if (option !== undefined) throw new UsageError(`${option} is for a new repository: it needs --init.`);
}
