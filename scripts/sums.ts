import { createHash } from "node:crypto";
import { join } from "node:path";

/** Writes SHA256SUMS, as `sha256sum -c` takes it, for files of a folder. */
export async function writeSums(folder: string, files: readonly string[]): Promise<void> {
  const lines: string[] = [];
  for (const file of files) lines.push(`${await sha256Of(join(folder, file))}  ${file}\n`);
  await Deno.writeTextFile(join(folder, "SHA256SUMS"), lines.join(""));
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  for await (const piece of file.readable) hash.update(piece);
  return hash.digest("hex");
}
