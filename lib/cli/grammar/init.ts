import { merge, object } from "@optique/core/constructs";
import { message, text } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { constant, option } from "@optique/core/primitives";
import { UsageError } from "../errors.ts";
import { formatBytes } from "../units.ts";
import type { CommandGrammar } from "./command.ts";
import { byDefault } from "./common.ts";
import { checkSlot, slotOptions, type SlotRequest } from "./slot_options.ts";
import { number, size } from "./values.ts";

const kib = 1024;
const mib = 1024 * kib;

/** The sizes between which a repository cuts its chunks, in bytes. They are fixed for its whole life. */
export interface ChunkSizesRequest {
  readonly min: number;
  readonly average: number;
  readonly max: number;
}

/** How bricks are written. This is the writer's choice and may differ from run to run. */
export interface WriterRequest {
  /** The zstd level. */
  readonly level: number;
  readonly brickSizeBytes: number;
}

/** A repository to be made. */
export interface FoundingRequest extends SlotRequest {
  readonly chunkSizes: ChunkSizesRequest;
}

/** `tarzan init`. */
export interface InitRequest extends FoundingRequest, WriterRequest {
  readonly command: "init";
}

/** What chunk sizes are when nobody says otherwise. */
export const defaultChunkSizes: ChunkSizesRequest = { min: 64 * kib, average: 256 * kib, max: mib };

/** The options for writing bricks. */
export function writerOptions() {
  return {
    level: byDefault(
      option("--level", number({ min: 1, max: 19 }), {
        description: message`How hard to compress: 1 is fastest, 19 smallest.`,
      }),
      { value: 3, shown: "3" },
    ),
    brickSizeBytes: byDefault(
      option("--brick-size", size({ min: 16 * mib, max: 1024 * mib }), {
        description: message`How large a brick is, from 16MiB to 1GiB.`,
      }),
      { value: 128 * mib, shown: "128MiB" },
    ),
  };
}

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
    chunkMin: chunk("--chunk-min", "least", defaultChunkSizes.min),
    chunkAverage: chunk("--chunk-average", "usual", defaultChunkSizes.average),
    chunkMax: chunk("--chunk-max", "greatest", defaultChunkSizes.max),
    ...slotOptions(),
  };
}

/** The founding options as they come from the parser. */
export type FoundingWords = SlotRequest & {
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
  return { chunkSizes: { min, average, max }, recipients, recipientsFiles, passphraseChoice };
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
    "tarzan init -d /mnt/backup --generate-passphrase",
    "tarzan init --no-passphrase --recipients-file admins.txt",
  ],
  options: () =>
    map(
      merge(
        object("Key slot", { command: constant("init"), ...foundingOptions() }),
        object("Writing", writerOptions()),
      ),
      ({ command, level, brickSizeBytes, ...words }) => ({ command, level, brickSizeBytes, ...foundingRequest(words) }),
    ),
};
