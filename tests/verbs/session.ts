/** What tests of verbs share: a repository with one machine that has its full key, small tars, and what comes out of them. */
import { createHash } from "node:crypto";
import { type CreateOptions, extract, listEntries, type VerbSession } from "../../lib/verbs/mod.ts";
import { printableName } from "../../lib/tar/mod.ts";
import { found, type Founded, inFolder, joined, type Machine } from "../repository/machine.ts";
import { END, type Fields, member } from "../tar/archives.ts";
import { entriesOf, type Found, record } from "../tar/recorder.ts";

/** Runs a test with a new repository and a machine that has its full key. */
export async function inRepository(test: (machine: Machine, place: Founded) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const place = await found(folder);
    await test(place.machine(place.fullKey), place);
  });
}

/** A tar of these entries: a name and a content, or header fields and a content. */
export function tarOf(...entries: [fields: string | Fields, content?: Uint8Array | string][]): Uint8Array<ArrayBuffer> {
  const members = entries.map(([fields, content]) =>
    member(typeof fields === "string" ? { name: fields } : fields, content)
  );
  return new Uint8Array(joined([...members, END]));
}

/** Options of `create` for a stream that is at hand. */
export function streamed(
  bytes: Uint8Array | Iterable<Uint8Array>,
  options: Partial<CreateOptions> = {},
): CreateOptions {
  const pieces = bytes instanceof Uint8Array ? [bytes] : bytes;
  return {
    out: undefined,
    label: undefined,
    tags: [],
    level: undefined,
    brickSizeBytes: 16 << 20,
    source: { kind: "bytes", pieces },
    ...options,
  };
}

/** Options of `create` for the output of a program. */
export function commanded(...argv: string[]): CreateOptions {
  return streamed([], { source: { kind: "command", argv, env: { PATH: Deno.env.get("PATH") ?? "" } } });
}

/** What `extract` of some paths gives: a tar, read by a reader of its own. */
export async function extracted(session: VerbSession, paths: string[], snapshot?: string): Promise<Found[]> {
  return entriesOf(record(await extractedBytes(session, paths, snapshot)));
}

/** The bytes that `extract` writes. */
export async function extractedBytes(
  session: VerbSession,
  paths: string[] = [],
  snapshot?: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  await extract(session, { snapshot, paths, output: (bytes) => void pieces.push(bytes.slice()) });
  return joined(pieces);
}

/** The names that `list` shows. */
export async function listed(session: VerbSession, paths: string[] = [], snapshot?: string): Promise<string[]> {
  const names: string[] = [];
  const onEntries: Parameters<typeof listEntries>[1]["onEntries"] = (entries) =>
    void names.push(...entries.map(({ name }) => printableName(name)));
  await listEntries(session, { snapshot, paths, onEntries });
  return names;
}

/** All objects of a repository below a folder, by name. */
export async function objectsIn(location: string, folder = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${location}/${folder}`)) {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (isDirectory) names.push(...await objectsIn(location, path));
    else names.push(path);
  }
  return names.sort();
}

/** The bricks of a repository, data bricks first. */
export async function bricksIn(location: string): Promise<string[]> {
  return [...await objectsIn(location, "bricks"), ...await objectsIn(location, "meta")];
}

/** Changes an object that is there. */
export async function change(path: string, change: (bytes: Uint8Array) => Uint8Array | void): Promise<void> {
  const bytes = await Deno.readFile(path);
  const changed = change(bytes) ?? bytes;
  // Objects are read-only files.
  await Deno.remove(path);
  await Deno.writeFile(path, changed);
}

/** SHA-256 in hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A file in a temporary folder, which is removed afterwards. */
export async function withFile(content: Uint8Array | string, use: (path: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const path = `${folder}/file`;
    await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
    await use(path);
  });
}
