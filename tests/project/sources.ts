import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The project's folder. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** A file of the project. */
export interface Source {
  /** From the project's folder, with slashes. */
  readonly path: string;
  readonly url: string;
  readonly text: string;
}

/** The TypeScript files at or under these paths of the project, in order of their names. */
export async function sourcesUnder(...paths: readonly string[]): Promise<Source[]> {
  const sources: Source[] = [];
  for (const path of paths) {
    for await (const file of filesUnder(path)) if (file.endsWith(".ts")) sources.push(await readSource(file));
  }
  return sources.sort((a, b) => a.path < b.path ? -1 : 1);
}

/** All files at or under a path of the project; names with a dot in front are passed by. */
export async function* filesUnder(path: string): AsyncGenerator<string> {
  if ((await Deno.stat(join(root, path))).isFile) return yield path;
  for await (const { name } of Deno.readDir(join(root, path))) {
    if (!name.startsWith(".")) yield* filesUnder(path === "." ? name : `${path}/${name}`);
  }
}

async function readSource(path: string): Promise<Source> {
  const absolute = join(root, path);
  return { path, url: pathToFileURL(absolute).href, text: await Deno.readTextFile(absolute) };
}
