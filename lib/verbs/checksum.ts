/** `checksum`: what `sha256sum` and Amazon Glacier say of a file. */
import { defaultThreads, startReaders } from "../pipeline/mod.ts";
import type { VerbSession } from "./session.ts";

export interface ChecksumLine {
  path: string;
  sha256: string;
  treeHash: string;
  length: number;
}

/** Hashes files, several at once, off this thread; hands each over in the order given. */
export async function checksum(
  session: VerbSession,
  options: { files: readonly string[]; onFile: (line: ChecksumLine) => void },
): Promise<void> {
  // Two threads at least, so that hashing never holds this one up.
  const pool = startReaders(Math.max(2, session.threads ?? defaultThreads()));
  const stop = () => pool.close();
  session.signal.addEventListener("abort", stop);
  if (session.signal.aborted) stop();
  try {
    const lines = options.files.map(async (path) => ({ path, ...await pool.run({ type: "checksum", path }) }));
    const failures: string[] = [];
    for (const line of await Promise.allSettled(lines)) {
      if (line.status === "fulfilled") options.onFile(line.value);
      else failures.push((line.reason as Error).message);
    }
    session.signal.throwIfAborted();
    if (failures.length > 0) throw new Error(failures.join("\n"));
  } finally {
    session.signal.removeEventListener("abort", stop);
    pool.close();
  }
}
