/** What a restore costs in one way, in USD, if nothing has been thawed yet. Asks no cold store. */
import { estimateRestore, type Tier } from "../glacier/mod.ts";
import { coldNeeds } from "./cold_needs.ts";
import type { Opened } from "./open.ts";
import { readPrices } from "./price_file.ts";
import type { Selection } from "./selection.ts";
import type { OpenSnapshot } from "./snapshot.ts";
import type { VerbSession } from "./session.ts";
import { wayOf } from "./thawing.ts";

/** The cost of restoring a selection. A tier that is not there for all of it is an error. */
export async function estimateNeeds(
  session: VerbSession,
  restore: { opened: Opened; snapshot: OpenSnapshot; selection: Selection },
  { days, tier, sameRegion }: { days: number; tier: Tier; sameRegion: boolean },
): Promise<number> {
  const needs = await coldNeeds(session, restore);
  if (needs === undefined) return 0;
  const prices = await readPrices(session.places.config());
  const plan = estimateRestore([...needs.others, ...needs.objects], {
    ...{ days, prices, now: session.now() },
    ...(sameRegion ? { egressBytes: 0 } : {}),
  });
  return wayOf(plan, tier).cost.total;
}
