/** Tars that other projects made to test their readers. They lie beside the repository, and may be absent. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Stream } from "./repositories.ts";

const folder = join(import.meta.dirname!, "../../../shared/corpus/tar");
const paths = listFiles();

/** Whether tests of the corpus must be ignored. */
export const absent = paths.length === 0;

function listFiles(): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Every file, in the order of their paths. */
export function* corpus(): Generator<Stream> {
  for (const path of paths) yield { name: relative(folder, path), bytes: new Uint8Array(readFileSync(path)) };
}
