import { UsageError } from "../errors.ts";
import type { Output } from "../output.ts";

/** Standard output for a tar; a terminal, which bytes of any kind could take over, is refused. */
export function tarOutput(stdout: Output, instead: string): (bytes: Uint8Array) => Promise<void> {
  if (stdout.isTerminal) {
    throw new UsageError(`Standard output is a terminal, and what comes is a tar. ${instead}`);
  }
  return (bytes) => stdout.write(bytes);
}
