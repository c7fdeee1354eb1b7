/** The licences of packages that an executable holds parts of: they ask for being handed on with it. */
import { join } from "node:path";

/** The packages that these files of a `node_modules` folder belong to, as folders of it. */
export function packagesOf(files: readonly string[]): string[] {
  const folders = files.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  return [...new Set(folders)].sort();
}

/** What the packages of these files say of their licences, one after the other. */
export async function licensesOf(root: string, files: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (const folder of packagesOf(files)) {
    const { name, version, license } = JSON.parse(await Deno.readTextFile(join(root, folder, "package.json")));
    const texts: string[] = [];
    for await (const { name: file, isFile } of Deno.readDir(join(root, folder))) {
      if (isFile && /^(?:licen[cs]e|notice|copying)/i.test(file)) {
        texts.push((await Deno.readTextFile(join(root, folder, file))).trim());
      }
    }
    parts.push([`${name} ${version} (${license})`, ...texts.sort()].join("\n\n"));
  }
  return parts.map((part) => `${part}\n`).join(`\n${"-".repeat(80)}\n\n`);
}
