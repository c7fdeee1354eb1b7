/**
 * Putting on record where bricks lie, from what a cold store itself says: for a ledger that does not tell of all of them,
 * because the newest bundle cannot hold the record of itself. What a listing says is believed as far as a confirmation of the
 * same store would be: sizes and, from a vault, tree hashes must be those that the ledger has. Bytes prove themselves later.
 */
import type { PlacedBrick, PlacedClass, PlacedRecord } from "../brick/mod.ts";
import type { LightBrick } from "../catalog/mod.ts";
import type { ColdClass, ColdObject } from "../glacier/mod.ts";
import type { ColdCensus } from "./cold_census.ts";
import type { Repository } from "./repository.ts";

/** A bundle that was read whole. */
export interface ReadBundle {
  handle: string;
  class: PlacedClass;
  bytes: number;
  sha256: string;
  treeHash: string;
  storedAt: Date;
  bricks: PlacedBrick[];
}

export interface FoundPlaces {
  /** Records that are missing, by domain. */
  records: Map<string, PlacedRecord[]>;
  /** Names of bricks in cold storage that no ledger tells of. */
  orphans: string[];
  /** Objects that are called like a brick and cannot be it; sentences. */
  problems: string[];
}

/** Which `placed` records the ledger lacks. `now` dates them to the listing: for objects that were said to be lost before. */
export function findPlaces(
  { catalog }: Repository,
  found: { location: string; class: ColdClass; census: ColdCensus; bundles: readonly ReadBundle[] },
  { now = false }: { now?: boolean } = {},
): FoundPlaces {
  const { location, census, bundles } = found;
  const records = new Map<string, PlacedRecord[]>();
  const problems: string[] = [];
  const rows = [...catalog.bricks()];
  const isPlaced = ({ name, domain }: LightBrick) =>
    catalog.placementsOf(name, { domain })
      .some(({ object }) => object.location === location && census.handles.has(object.handle));
  const tell = (domain: string, record: PlacedRecord) =>
    void records.set(domain, [...records.get(domain) ?? [], record]);
  const dated = (storedAt: Date) => now ? census.at : storedAt;
  for (const row of rows) {
    const objects = census.bricks.get(row.name) ?? [];
    if (objects.length === 0 || isPlaced(row)) continue;
    const object = objects.find((object) => isBrick(object, row));
    if (object === undefined) problems.push(strange(objects[0]!, { row, location }));
    else {
      const { handle, bytes } = object;
      const { name, kind, domain, treeHash } = row;
      tell(domain, {
        ...{ location, handle, class: classOf(object, found.class), bytes, sha256: name, treeHash },
        placedAt: dated(object.storedAt),
        bricks: [{ name, kind, offset: 0, bytes }],
      });
    }
  }
  const byName = Map.groupBy(rows, ({ name }) => name);
  for (const { bricks, storedAt, ...bundle } of bundles) {
    const held = bricks.flatMap((brick) =>
      (byName.get(brick.name) ?? []).filter(({ kind, bytes }) => kind === brick.kind && bytes === brick.bytes)
        .map((row) => ({ row, brick }))
    );
    for (const [domain, some] of Map.groupBy(held, ({ row }) => row.domain)) {
      if (some.every(({ row }) => isPlaced(row))) continue;
      tell(domain, { ...bundle, location, placedAt: dated(storedAt), bricks: some.map(({ brick }) => brick) });
    }
  }
  return { records, orphans: [...census.bricks.keys()].filter((name) => !byName.has(name)), problems };
}

/** What the store says of an object, in the classes that records know: where classes are ignored, the one that was meant. */
export function classOf(object: Pick<ColdObject, "class">, meant: ColdClass): PlacedClass {
  return object.class === "STANDARD" ? meant : object.class;
}

function isBrick(object: ColdObject, row: LightBrick): boolean {
  return object.bytes === row.bytes && (object.treeHash === undefined || object.treeHash === row.treeHash) &&
    (object.sha256 === undefined || object.sha256 === row.name);
}

function strange(object: ColdObject, { row, location }: { row: LightBrick; location: string }): string {
  const is = object.bytes === row.bytes ? "has another hash" : `is ${object.bytes} bytes long, not ${row.bytes}`;
  return `${object.handle} in ${location} is called like brick ${row.name} and cannot be it: it ${is}, by the ledger`;
}
