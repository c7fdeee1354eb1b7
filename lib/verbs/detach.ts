/**
 * `detach`: the recipe as a tar of its own. Headers are as they were, but each body is replaced by a list of its chunks
 * ("id offset length", a line each): what dtar called a detached tar. It can be listed, compared and kept; it holds no contents.
 */
import { toHex } from "../crypto/mod.ts";
import { openPage, pageEntries, type PageEntry, type PlacedOp, placedOps } from "../snapshot/mod.ts";
import { endOfArchive, makeHeader, paddingLength } from "../tar/mod.ts";
import { catchUp, open } from "./open.ts";
import { findIndex, locationFor, readIndexFile, SnapshotReaders } from "./snapshot.ts";
import type { VerbSession } from "./session.ts";

/** Writes the detached tar of a snapshot. */
export async function detach(
  session: VerbSession,
  options: { snapshot: string | undefined; output: (bytes: Uint8Array) => Promise<void> | void },
): Promise<{ snapshot: string; entries: number }> {
  const file = await readIndexFile(options.snapshot);
  const opened = await open(session, { location: await locationFor(session, file), need: "list" });
  const readers = new SnapshotReaders(opened.repository);
  try {
    const index = await findIndex(opened.repository, options.snapshot, file);
    await catchUp(session, opened.repository, [index.domain]);
    const { pages, get } = await readers.open(index);
    let entries = 0;
    for await (const ref of pages()) {
      session.signal.throwIfAborted();
      const page = await openPage(ref, get);
      const placed = [...placedOps(page, get)];
      for (const item of pageEntries(page.ops)) {
        const body = encode(await chunkList(placed, item));
        const { user, group, linkName } = item.entry;
        const names = { user: encode(user), group: encode(group), link: linkName };
        await options.output(makeHeader({ ...item.entry, ...names, size: body.length }));
        await options.output(body);
        await options.output(new Uint8Array(paddingLength(body.length)));
        entries++;
      }
    }
    await options.output(endOfArchive());
    return { snapshot: index.snapshot, entries };
  } finally {
    readers.close();
    await opened.close();
  }
}

/** What stands in place of an entry's body: only files can have one. */
async function chunkList(placed: PlacedOp[], { entry, bodyOp }: PageEntry): Promise<string> {
  let list = "";
  const isFile = entry.type === "-" || entry.type === "M" || entry.type === "?";
  if (!isFile || bodyOp === undefined) return list;
  for await (const segment of placed[bodyOp]!.segments()) {
    if ("id" in segment) list += `${toHex(segment.id)} ${segment.from} ${segment.length}\n`;
  }
  return list;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
