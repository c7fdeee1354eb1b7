/** What a restore has to get out of cold storage: found before anything is written, and without asking a cold store. */
import { counted } from "./amounts.ts";
import { DamageError } from "../crypto/mod.ts";
import type { NeededObject } from "../glacier/mod.ts";
import { listBricks } from "../repository/mod.ts";
import { readBrickList } from "../snapshot/mod.ts";
import { neededBricks } from "./needed_bricks.ts";
import type { Opened } from "./open.ts";
import { hotClasses } from "./price_file.ts";
import type { Selection } from "./selection.ts";
import type { OpenSnapshot } from "./snapshot.ts";
import type { VerbSession } from "./session.ts";
import { type ColdNeed, pricedNeeds, whereabouts } from "./whereabouts.ts";

/** Objects of cold stores, in the order of the restore, and what else it reads, for its price. */
export interface ColdNeeds {
  objects: readonly ColdNeed[];
  others: readonly NeededObject[];
}

/** What a selection needs of cold stores; undefined: nothing. The catalogue must have caught up with the ledger. */
export async function coldNeeds(
  session: VerbSession,
  { opened, snapshot, selection }: { opened: Opened; snapshot: OpenSnapshot; selection: Selection },
): Promise<ColdNeeds | undefined> {
  const { repository } = opened;
  const { catalog } = repository;
  const { domain } = snapshot.index;
  const placed = catalog.placedBricks({ domain });
  if (placed.size === 0) return undefined;
  const hot = await listBricks(repository, "D");
  const asleep = new Set<string>();
  for (const { name } of catalog.bricks({ domain, kind: "D" })) {
    if (placed.has(name) && !hot.has(name)) asleep.add(name);
  }
  if (asleep.size === 0) return undefined;
  // A glance at the list of bricks saves going through the whole recipe where all of it is here.
  const names = await readBrickList(snapshot.sealed, snapshot.get);
  if (!names.some((name) => asleep.has(name))) return undefined;
  const { reader } = snapshot;
  const needed = await neededBricks(selection.segments(), { reader, catalog, domain, signal: session.signal });
  const where = whereabouts(needed, { catalog, domain, hot });
  if (where.cold.length === 0) return undefined;
  if (where.lost.length > 0) {
    throw new DamageError(
      `${
        counted(where.lost.length, "brick")
      } can be found neither in ${repository.store.location} nor, as far as the ledger tells, in cold ` +
        `storage (${
          where.lost[0]!.slice(0, 16)
        }…). Run "tarzan verify" to see what that touches; what else there is can be ` +
        "had by naming paths",
    );
  }
  const hotClass = (await hotClasses(session, repository.store.location))?.data;
  return { objects: where.cold, others: pricedNeeds({ ...where, cold: [] }, hotClass) };
}
