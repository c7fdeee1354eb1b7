/** Repositories whose data bricks sleep in a cold store in memory, as if they had been uploaded there and dropped here. */
import { type ColdStore, TreeHasher } from "../../lib/glacier/mod.ts";
import type { PlacedClass, PlacedRecord } from "../../lib/brick/mod.ts";
import { brickObject, publish } from "../../lib/repository/mod.ts";
import { open } from "../../lib/verbs/open.ts";
import type { VerbSession } from "../../lib/verbs/mod.ts";
import { sha256 } from "./session.ts";

/** Uploads all data bricks and says so in the ledger; `drop`: the hot store forgets them. In the order of the ledger. */
export async function putAllToSleep(
  session: VerbSession,
  cold: ColdStore,
  options: { drop?: boolean; now?: () => Date; between?: () => void } = {},
): Promise<string[]> {
  const { drop = true, now = session.now, between } = options;
  const { repository, close } = await open(session);
  const { signal } = new AbortController();
  const names: string[] = [];
  try {
    const placedAlready = repository.catalog.placedBricks({ location: cold.location });
    for (const { name, kind, bytes, domain } of [...repository.catalog.bricks({ kind: "D" })]) {
      if (placedAlready.has(name)) continue;
      const content = await repository.store.get(brickObject(kind, name));
      const tree = new TreeHasher();
      tree.update(content);
      const about = { bytes, sha256: sha256(content), treeHash: tree.digest().toHex() };
      const read = ({ from, length }: { from: number; length: number }) =>
        Promise.resolve(content.slice(from, from + length));
      const upload = { name: brickObject(kind, name), repository: repository.config.repository, ...about, read };
      const placed: PlacedRecord = {
        ...{ location: cold.location, handle: await cold.upload(upload, { signal }), class: cold.class as PlacedClass },
        ...{ ...about, placedAt: now(), bricks: [{ name, kind, offset: 0, bytes }] },
      };
      await publish(repository, domain, [{ type: "placed", placed }]);
      if (drop) await repository.store.delete(brickObject(kind, name));
      names.push(name);
      between?.();
    }
    return names;
  } finally {
    await close();
  }
}
