/**
 * Bricks in cold storage: what the storage itself says of them, asked without reading one. A bucket knows size and SHA-256
 * of each object now; a vault knows sizes and tree hashes of some hours ago, from an inventory that is asked for first.
 */
import type { ColdStore, Confirmation } from "../glacier/mod.ts";
import { publish, type Repository } from "../repository/mod.ts";
import type { CheckedBrick } from "./verify_bricks.ts";
import type { Report } from "./verify_report.ts";
import type { VerbSession } from "./session.ts";

/** An object that was placed, and which of the checked bricks are in it. */
interface PlacedObject {
  domain: string;
  location: string;
  handle: string;
  bytes: number;
  sha256: string;
  treeHash: string;
  placedAt: Date;
  bricks: Set<string>;
}

/** What was found of the copies in cold storage. */
export interface ColdChecked {
  /** Bricks of which some cold store holds an intact copy. */
  confirmed: Set<string>;
  /** An inventory is on its way, to be read then (or nobody knows when). */
  inventory: { location: string; readyAt: Date | undefined }[];
}

export interface ColdCheck {
  repository: Repository;
  bricks: CheckedBrick[];
  report: Report;
  /** Ask vaults for a new inventory. */
  inventory: boolean;
}

/** Asks every cold store after the bricks that were placed there. What is neither there nor hot is missing. */
export async function checkCold(session: VerbSession, check: ColdCheck): Promise<ColdChecked> {
  const checked: ColdChecked = { confirmed: new Set(), inventory: [] };
  const unanswered = new Set<string>();
  const lost: { object: PlacedObject; why: string }[] = [];
  for (const [location, objects] of placedObjects(check)) {
    session.signal.throwIfAborted();
    session.progress.update({ phase: `asking ${location}`, itemsDone: 0, itemsTotal: objects.length });
    const answers = await ask(session, { location, objects, check, checked });
    for (const [i, object] of objects.entries()) {
      const answer = answers[i]!;
      if (answer.found === "same") { for (const brick of object.bricks) checked.confirmed.add(brick); }
      if (answer.found === "unknown") { for (const brick of object.bricks) unanswered.add(brick); }
      if (answer.found === "absent") lost.push({ object, why: "does not hold it any more" });
      if (answer.found === "other") lost.push({ object, why: `holds something else: ${answer.why}` });
    }
  }
  tellOfLosses(lost, check);
  for (const { name } of check.bricks) {
    if (!check.report.isCold(name) || checked.confirmed.has(name) || unanswered.has(name)) continue;
    check.report.missing(name, `Brick ${name} is neither in ${check.repository.store.location} nor in cold storage`);
  }
  await putLossesOnRecord(session, check.repository, lost.map(({ object }) => object));
  return checked;
}

/** The objects that hold any of these bricks, by place. */
function placedObjects({ repository, bricks }: Pick<ColdCheck, "repository" | "bricks">): Map<string, PlacedObject[]> {
  const objects = new Map<string, PlacedObject>();
  const wanted = new Map(bricks.map(({ name, domain }) => [`${domain} ${name}`, name]));
  for (const { brick, object } of repository.catalog.placements()) {
    const name = wanted.get(`${object.domain} ${brick}`);
    if (name === undefined) continue;
    const key = `${object.domain} ${object.location} ${object.handle}`;
    const known = objects.get(key) ?? { ...object, bricks: new Set() };
    known.bricks.add(name);
    objects.set(key, known);
  }
  return Map.groupBy(objects.values(), ({ location }) => location);
}

async function ask(
  session: VerbSession,
  { location, objects, check, checked }: {
    location: string;
    objects: PlacedObject[];
    check: ColdCheck;
    checked: ColdChecked;
  },
): Promise<Confirmation[]> {
  const { report, repository } = check;
  const { signal } = session;
  const nobody = (why: string): Confirmation[] => {
    report.unchecked.add(`${objects.length} objects in ${location}: ${why}`);
    return objects.map(() => ({ found: "unknown", why }));
  };
  if (repository.cold === undefined) return nobody("this command cannot ask there");
  let cold: ColdStore;
  try {
    cold = await repository.cold.open(location);
    if (check.inventory) await askForInventory(cold, { objects, checked, signal });
    const expected = objects.map((object) => ({ ...object, storedAt: object.placedAt }));
    const answers = await cold.confirm(expected, { signal });
    const unknown = answers.filter((answer) => answer.found === "unknown");
    if (unknown.length > 0) {
      const hint = check.inventory ? "" : '. "tarzan verify --inventory" asks for a new one';
      report.unchecked.add(`${unknown.length} of ${objects.length} objects in ${location}: ${unknown[0]!.why}${hint}`);
    }
    return answers;
  } catch (error) {
    signal.throwIfAborted();
    return nobody((error as Error).message);
  }
}

/** An inventory counts when it was asked for after the newest of these objects was stored. */
async function askForInventory(
  cold: ColdStore,
  { objects, checked, signal }: { objects: PlacedObject[]; checked: ColdChecked; signal: AbortSignal },
): Promise<void> {
  if (cold.class !== "VAULT") return;
  const since = new Date(Math.max(...objects.map(({ placedAt }) => placedAt.getTime())));
  const answer = await cold.list({ signal, since });
  if (!answer.ready) checked.inventory.push({ location: cold.location, readyAt: answer.readyAt });
}

function tellOfLosses(lost: { object: PlacedObject; why: string }[], { report }: ColdCheck): void {
  for (const { object: { location, handle, bricks }, why } of lost) {
    const isHere = [...bricks].every((brick) => !report.isCold(brick) && !report.isMissing(brick));
    const remedy = isHere ? '. All of it is still here: "tarzan glacier-upload" stores it there again' : "";
    report.add("cold copy", handle, `${location} ${why} (${handle}, ${bricks.size} bricks)${remedy}`);
  }
}

/** So that writers rely on them no longer, and `glacier-upload` stores again what is still here. */
async function putLossesOnRecord(session: VerbSession, repository: Repository, lost: PlacedObject[]): Promise<void> {
  const at = await repository.store.now();
  for (const [domain, objects] of Map.groupBy(lost, (object) => object.domain)) {
    const records = objects.map(({ location, handle }) => ({ type: "lost", lost: { location, handle, at } }) as const);
    try {
      await publish(repository, domain, records);
    } catch (error) {
      session.warn(`What cold storage lost could not be put on record: ${(error as Error).message}`);
    }
  }
}

/** Notes which cold bricks can be read now: thawed ones, and those of classes that need no thaw. */
export async function findThawed(session: VerbSession, check: Omit<ColdCheck, "inventory">): Promise<void> {
  const { repository, report } = check;
  const { signal } = session;
  const bricks = check.bricks.filter(({ name }) => report.isCold(name));
  if (bricks.length === 0 || repository.cold === undefined) return;
  for (const [location, objects] of placedObjects({ repository, bricks })) {
    try {
      const store = await repository.cold.open(location);
      const states = await store.states(objects, { signal });
      for (const [i, { state }] of states.entries()) {
        if (state === "direct" || state === "ready") { for (const brick of objects[i]!.bricks) report.thawed(brick); }
      }
    } catch (error) {
      signal.throwIfAborted();
      session.warn(`Cannot ask ${location} what can be read now: ${(error as Error).message}`);
    }
  }
}
