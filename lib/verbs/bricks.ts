/** `bricks`: which files a snapshot needs, as `sha256sum -c` takes it. */
import { readBrickList } from "../snapshot/mod.ts";
import { brickObject, type Repository } from "../repository/mod.ts";
import { DamageError } from "../crypto/mod.ts";
import { catchUp, open } from "./open.ts";
import { findIndex, locationFor, readIndexFile, SnapshotReaders } from "./snapshot.ts";
import type { VerbSession } from "./session.ts";

/** A brick that a snapshot needs; `object` is its path below the repository. */
export interface BrickLine {
  name: string;
  object: string;
  kind: "D" | "M";
  bytes: number;
  treeHash: string;
}

/** All bricks of a snapshot. */
export async function bricks(session: VerbSession, options: { snapshot: string | undefined }): Promise<BrickLine[]> {
  const file = await readIndexFile(options.snapshot);
  const opened = await open(session, { location: await locationFor(session, file), need: "list" });
  const readers = new SnapshotReaders(opened.repository);
  try {
    const index = await findIndex(opened.repository, options.snapshot, file);
    await catchUp(session, opened.repository, [index.domain]);
    const { sealed, get } = await readers.open(index);
    return (await readBrickList(sealed, get)).map((name) => brickLine(opened.repository, name, index.domain));
  } finally {
    readers.close();
    await opened.close();
  }
}

function brickLine({ catalog }: Repository, name: string, domain: string): BrickLine {
  const row = catalog.brickByName(name, { domain });
  if (row === undefined) throw new DamageError(`Brick ${name} is in no ledger that was read. Run "tarzan rebuild"`);
  const { kind, bytes, treeHash } = row;
  return { name, object: brickObject(kind, name), kind, bytes, treeHash };
}
