import { merge, object } from "@optique/core/constructs";
import { message, text } from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import { constant, option } from "@optique/core/primitives";
import { UsageError } from "../errors.ts";
import { formatBytes } from "../units.ts";
import { bucketWriterOptions, type BucketWriterRequest } from "./bucket_options.ts";
import type { CommandGrammar } from "./command.ts";
import { byDefault } from "./shared_options.ts";
import { checkSlot, slotOptions, type SlotRequest } from "./slot_options.ts";
import { coldPlace, size } from "./values.ts";
import { writerOptions, type WriterRequest } from "./writer_options.ts";

const kib = 1024;
const mib = 1024 * kib;

/** The sizes between which a repository cuts its chunks, in bytes. They are fixed for its whole life. */
export interface ChunkSizesRequest {
  readonly min: number;
  readonly average: number;
  readonly max: number;
}

/** A repository to be made. */
export interface FoundingRequest extends SlotRequest {
  readonly chunkSizes: ChunkSizesRequest;
  /** Where data bricks go to sleep; undefined: they stay. */
  readonly cold: string | undefined;
}

/** `tarzan init`. */
export interface InitRequest extends FoundingRequest, WriterRequest {
  readonly command: "init";
  readonly brickStorage: BucketWriterRequest;
}

/** What chunk sizes are when nobody says otherwise. */
export const defaultChunkSizes: ChunkSizesRequest = { min: 64 * kib, average: 256 * kib, max: mib };

/** The options that only a new repository takes. */
export function foundingOptions() {
  const bounds = { min: 4 * kib, max: 16 * mib };
  const chunk = (name: "--chunk-min" | "--chunk-average" | "--chunk-max", which: string, bytes: number) =>
    byDefault(
      option(name, size(bounds), {
        description: [text(`The ${which} size of a chunk, for the repository's whole life.`)],
      }),
      { value: bytes, shown: formatBytes(bytes).replace(" ", "") },
    );
  return {
    cold: optional(option("--cold", coldPlace(), {
      description:
        message`Data goes to cold storage, for the repository's whole life: a place as in "glacier-upload --to".`,
    })),
    chunkMin: chunk("--chunk-min", "least", defaultChunkSizes.min),
    chunkAverage: chunk("--chunk-average", "usual", defaultChunkSizes.average),
    chunkMax: chunk("--chunk-max", "greatest", defaultChunkSizes.max),
    ...slotOptions(),
  };
}

/** The founding options as they come from the parser. */
export type FoundingWords = SlotRequest & {
  readonly cold: string | undefined;
  readonly chunkMin: number;
  readonly chunkAverage: number;
  readonly chunkMax: number;
};

/** Puts the founding options together and refuses what cannot be. */
export function foundingRequest(words: FoundingWords): FoundingRequest {
  const { chunkMin: min, chunkAverage: average, chunkMax: max, recipients, recipientsFiles, passphraseChoice } = words;
  if (!(min < average && average < max)) {
    const given = [min, average, max].map(formatBytes).join(", ");
    throw new UsageError(
      `Chunk sizes must grow from --chunk-min over --chunk-average to --chunk-max; they are ${given}.`,
    );
  }
  const odd = [min, average, max].find((bytes) => bytes % 2 !== 0);
  if (odd !== undefined) throw new UsageError(`Chunk sizes must be even numbers of bytes; ${odd} is not.`);
  checkSlot(words);
  return { chunkSizes: { min, average, max }, cold: words.cold, recipients, recipientsFiles, passphraseChoice };
}

/** `tarzan init`. */
export const init: CommandGrammar<InitRequest> = {
  name: "init",
  brief: "Make a repository.",
  description: [
    "Makes an empty repository with a first key slot, and prints a recovery sheet: what to keep on paper. " +
    "Without the passphrase (or an age identity that you named) nobody can read the backups, you included.",
  ],
  usage: "[OPTION…]",
  examples: [
    "tarzan init",
    "tarzan init -d /mnt/backup --generate-passphrase --level 9",
    "tarzan init --no-passphrase --recipients-file admins.txt",
    "tarzan init -d s3://my-backups/tarzan --region eu-central-1 --lock-days 180",
    "tarzan init --cold glacier://eu-central-1/my-vault",
  ],
  options: () =>
    map(
      merge(
        object("Options", { command: constant("init"), ...foundingOptions() }),
        object("For backups from this machine", writerOptions()),
        bucketWriterOptions(),
      ),
      ({ command, level, brickSizeBytes, brickStorage, ...words }) => (
        { command, level, brickSizeBytes, brickStorage, ...foundingRequest(words) }
      ),
    ),
};
