/**
 * Bricks in cold storage: what the storage itself says of them, asked without reading one. A bucket knows size and SHA-256
 * of each object now; a vault knows sizes and tree hashes of some hours ago, from an inventory that is asked for first.
 */
import type { ColdStore, Confirmation } from "../glacier/mod.ts";
import type { WrittenRecord } from "../brick/mod.ts";
import { publish, remember, type Repository } from "../repository/mod.ts";
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
    const held = new Set(objects.filter((_, i) => answers[i]!.found === "same").map(({ handle }) => handle));
    for (const [i, object] of objects.entries()) {
      const answer = answers[i]!;
      if (answer.found === "same") { for (const brick of object.bricks) checked.confirmed.add(brick); }
      if (answer.found === "unknown") { for (const brick of object.bricks) unanswered.add(brick); }
      // Another record of the same object is true: this one is a lie, and no loss.
      if (held.has(object.handle)) continue;
      if (answer.found === "absent") lost.push({ object, why: "does not hold it any more" });
      if (answer.found === "other") lost.push({ object, why: `holds something else: ${answer.why}` });
    }
  }
  tellOfLosses(lost, check);
  const hot = check.repository.store.location;
  for (const { name, kind } of check.bricks) {
    if (!check.report.isCold(name)) continue;
    if (!checked.confirmed.has(name) && !unanswered.has(name)) {
      check.report.missing(name, `Brick ${name} is neither in ${hot} nor in cold storage`);
    } else if (kind === "M") {
      check.report.add(
        "missing brick",
        name,
        `Brick ${name} holds recipes and is not in ${hot}, where they belong, but in cold storage only. ` +
          '"tarzan rebuild --from-cold" brings it back',
      );
    }
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
    const { domain, location, handle, bytes, sha256, treeHash } = object;
    // Records that contradict one another are asked after one by one.
    const key = [domain, location, handle, bytes, sha256, treeHash].join(" ");
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
    if (answers.every(({ found }) => found === "absent")) await requireThere(cold, signal);
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

/** A bucket that is not there says of every object that it is not there; asked to list, it says so of itself. */
async function requireThere(cold: ColdStore, signal: AbortSignal): Promise<void> {
  if (cold.class === "VAULT") return;
  const answer = await cold.list({ signal });
  if (answer.ready) { for await (const _ of answer.listing.objects) return; }
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
  const told = new Set<string>();
  for (const { object: { location, handle, bricks }, why } of lost) {
    // An object with bricks of several domains is on record in each.
    if (told.has(`${location} ${handle}`)) continue;
    told.add(`${location} ${handle}`);
    const isHere = [...bricks].every((brick) => !report.isCold(brick) && !report.isMissing(brick));
    const remedy = isHere ? '. All of it is still here: "tarzan glacier-upload" stores it there again' : "";
    report.add("cold copy", handle, `${location} ${why} (${handle}, ${bricks.size} bricks)${remedy}`);
  }
}

/**
 * So that writers rely on them no longer, and `glacier-upload` stores again what is still here. A key that adds no backups
 * adds nothing to a ledger either: what it has found, its own machine remembers.
 */
async function putLossesOnRecord(session: VerbSession, repository: Repository, lost: PlacedObject[]): Promise<void> {
  if (lost.length === 0) return;
  const now = await repository.store.now();
  const tell = async (domain: string, records: WrittenRecord[]) => {
    if (repository.keyring.can("create")) return await publish(repository, domain, records);
    throw new Error(`a key of role "${repository.keyring.role}" does not write into the ledger`);
  };
  for (const [domain, objects] of Map.groupBy(lost, (object) => object.domain)) {
    const records = objects.map(({ location, handle, placedAt }) => {
      // Clocks differ: what is taken back must not seem to have been placed afterwards.
      const at = now > placedAt ? now : placedAt;
      return { type: "lost", lost: { location, handle, at } } as const;
    });
    try {
      await tell(domain, records);
    } catch (error) {
      session.signal.throwIfAborted();
      session.warn(
        `What cold storage lost is known to this machine only: ${(error as Error).message}. ` +
          'Run "tarzan verify" where backups are made',
      );
      await remember(repository, domain, records);
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
