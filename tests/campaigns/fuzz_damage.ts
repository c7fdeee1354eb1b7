/** Damages objects of a repository, then does all that one does with a repository. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { listEntries, listSnapshots, rebuild } from "../../lib/verbs/mod.ts";
import { joined, type Machine } from "../repository/machine.ts";
import { mutated } from "./fuzz_tar.ts";
import { assertMeant, tolerate } from "./meant_errors.ts";
import { type Numbers, oneOf } from "./numbers.ts";
import { Site } from "./site.ts";
import { restoredFrom, sampleTar } from "./stream.ts";

/** A repository that is damaged again and again, and made whole in between. */
export interface Victim {
  readonly site: Site;
  /** Snapshots, and what they stand for. */
  readonly snapshots: ReadonlyMap<string, Uint8Array>;
  /** All objects as they were. */
  readonly objects: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** The state of a machine that made the backups, as it was. */
  readonly knowing: ReadonlyMap<string, Uint8Array>;
}

/** Makes a repository with some snapshots that share some of their data. */
export async function prepareVictim(folder: string, next: Numbers): Promise<Victim> {
  const site = await Site.found(folder);
  const snapshots = new Map<string, Uint8Array>();
  const shared = sampleTar(next(2 ** 31), 300_000);
  for (let i = 0; i < 3; i++) {
    const own = sampleTar(next(2 ** 31), 200_000);
    const tar = joined([shared.subarray(0, shared.length - 1024), own]);
    const { snapshot } = await site.machine.create(tar);
    snapshots.set(snapshot, tar);
  }
  const read = (root: string, names: Iterable<string>) =>
    new Map([...names].map((name) => [name, Deno.readFileSync(`${root}/${name}`)]));
  const objects = read(site.location, site.files().keys());
  return { site, snapshots, objects, knowing: read(site.state, filesBelow(site.state)) };
}

/** Damages one to three objects and looks what everybody says to it; then makes all of it whole. */
export async function damageRound(victim: Victim, next: Numbers): Promise<string[]> {
  const { site, snapshots } = victim;
  const done: string[] = [];
  const met = new Set<string>();
  for (let i = oneOf(next, [1, 1, 2, 3]); i > 0; i--) done.push(damage(victim, next));
  const knows = next(2) === 0;
  const machine = knows ? site.machine : site.stranger();
  try {
    if (next(4) === 0) note(await tolerate("rebuild", () => rebuild(machine.session)), "rebuild");
    await look(machine);
    if (next(3) === 0) await backUpAndLook(machine);
  } catch (error) {
    (error as Error).message += `\nafter: ${done.join("; ")} (a machine that ${knows ? "knows" : "does not know"} it)`;
    throw error;
  } finally {
    restore(victim);
  }
  return [...met];

  function note({ failure }: { failure?: string }, doing: string): void {
    met.add(failure === undefined ? `${doing} succeeded` : `${doing} failed with ${failure}`);
  }

  async function look(machine: Machine): Promise<void> {
    const listed = await tolerate("list", () => listSnapshots(machine.session));
    note(listed, "list");
    let intact = 0;
    for (const [snapshot, expected] of snapshots) {
      const { error } = await restoredFrom(machine, { snapshot, expected });
      if (error === undefined) intact++;
      else met.add(`extract failed with ${assertMeant(error, "extract")}`);
      const entries = await tolerate(
        "list the entries",
        () => listEntries(machine.session, { snapshot, paths: [], onEntries() {} }),
      );
      note(entries, "list of entries");
    }
    if (intact > 0) met.add("extract succeeded");
    const verified = await tolerate("verify", () => machine.verify({ data: true, bricks: true }));
    note(verified, "verify");
    if (verified.value === undefined) return;
    const { problems, snapshots: count } = verified.value;
    for (const { message } of problems) assert.match(message, /^[A-Z].*/s);
    for (const { kind } of problems) met.add(`verify found: ${kind}`);
    const whole = problems.length === 0 && count === snapshots.size;
    assert.ok(!whole || intact === snapshots.size, `verify finds nothing, but only ${intact} snapshots come back`);
  }

  /** A backup into what is damaged either fails, or comes back whole. */
  async function backUpAndLook(machine: Machine): Promise<void> {
    const tar = oneOf(next, [...snapshots.values()]);
    const created = await tolerate("create", () => machine.create(tar));
    note(created, "create");
    if (created.value === undefined) return;
    // Damage that nobody has put on record yet may be relied on; `look` has put it there if it could verify.
    const { snapshot } = created.value;
    const restored = await restoredFrom(machine, { snapshot, expected: tar });
    if (restored.error === undefined) met.add("a backup into a damaged repository came back");
    else met.add(`a backup into a damaged repository failed with ${assertMeant(restored.error, "extract")}`);
  }
}

function damage({ site, objects }: Victim, next: Numbers): string {
  // By kind first, since there are many more bricks than anything else.
  const kinds = [...new Set([...objects.keys()].map((name) => name.split("/")[0]!))];
  const kind = oneOf(next, kinds.filter((name) => name !== "CACHEDIR.TAG"));
  const name = oneOf(next, [...objects.keys()].filter((name) => name.split("/")[0] === kind));
  const path = `${site.location}/${name}`;
  const bytes = objects.get(name)!;
  switch (next(6)) {
    case 0:
      // It may have been deleted a moment ago.
      Deno.writeFileSync(path, bytes);
      Deno.removeSync(path);
      return `${name} deleted`;
    case 1: {
      const same = [...objects.keys()].filter((other) => other.split("/")[0] === kind && other !== name);
      const other = oneOf(next, same.length > 0 && next(4) > 0 ? same : [...objects.keys()]);
      Deno.writeFileSync(path, objects.get(other)!);
      return `${name} replaced by ${other}`;
    }
    case 2:
      Deno.writeFileSync(path, joined([bytes, mutated(bytes.slice(0, next(2000)), next)]));
      return `${name} extended`;
    case 3:
      Deno.writeFileSync(path, bytes.subarray(0, next(bytes.length)));
      return `${name} cut`;
    default:
      Deno.writeFileSync(path, mutated(bytes, next));
      return `${name} mutated`;
  }
}

function restore({ site, objects, knowing }: Victim): void {
  for (const [root, files] of [[site.location, objects], [site.state, knowing]] as const) {
    for (const name of filesBelow(root)) if (!files.has(name)) Deno.removeSync(`${root}/${name}`);
    for (const [name, bytes] of files) {
      Deno.mkdirSync(dirname(`${root}/${name}`), { recursive: true });
      Deno.writeFileSync(`${root}/${name}`, bytes);
    }
  }
}

function filesBelow(root: string, prefix = ""): string[] {
  return [...Deno.readDirSync(`${root}/${prefix}`)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(root, `${prefix}${name}/`) : [prefix + name]
  );
}
