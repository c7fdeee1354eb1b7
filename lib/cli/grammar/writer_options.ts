import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { number, size } from "./values.ts";

const mib = 1024 * 1024;

/** How bricks are written: the writer's choice, and no property of the repository. Undefined: as usual on this machine. */
export interface WriterRequest {
  /** The zstd level. */
  readonly level: number | undefined;
  readonly brickSizeBytes: number | undefined;
}

/** The options for writing bricks. */
export function writerOptions() {
  return {
    level: optional(option("--level", number({ min: 1, max: 19 }), {
      description: message`How hard to compress: 1 is fastest, 19 smallest (default: as "init" was told, else 3).`,
    })),
    brickSizeBytes: optional(option("--brick-size", size({ min: 16 * mib, max: 1024 * mib }), {
      description: message`How large a brick is, 16MiB to 1GiB (default: as "init" was told, else 128MiB).`,
    })),
  };
}
