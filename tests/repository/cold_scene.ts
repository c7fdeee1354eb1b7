/** A repository with a cold store in memory, and machines that upload to it. */
import { createHash } from "node:crypto";
import type { ColdStore } from "../../lib/glacier/mod.ts";
import { ColdRun } from "../../lib/verbs/cold_run.ts";
import { catchUp, open, type Opened } from "../../lib/verbs/open.ts";
import { rememberSettings } from "../../lib/verbs/settings.ts";
import type { Dropped, PlacedCounts, Repository, UploadPlan } from "../../lib/repository/mod.ts";
import type { VerbSession } from "../../lib/verbs/mod.ts";
import { ColdPlaceInMemory, openMemoryCold } from "../glacier/memory_cold.ts";
import { found, type Founded, inFolder, type Machine } from "./machine.ts";

export const BRICK_BYTES = 16 << 20;

/** A place and what is needed around it. */
export interface ColdScene {
  founded: Founded;
  place: ColdPlaceInMemory;
  /** A machine that writes bricks of 16 MiB and knows the way to the place. */
  machine(key?: string): Promise<ColdMachine>;
}

export interface ColdMachine extends Machine {
  session: VerbSession;
}

/** Runs a test with a new repository beside a cold store of this class. */
export async function inColdScene(
  options: { class?: ColdPlaceInMemory["class"]; identity?: string },
  test: (scene: ColdScene) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const founded = await found(folder);
    const place = new ColdPlaceInMemory({ class: options.class ?? "DEEP_ARCHIVE" });
    await test({
      founded,
      place,
      async machine(key = founded.fullKey) {
        const machine = founded.machine(key);
        const settings = { level: undefined, brickSizeBytes: BRICK_BYTES };
        await rememberSettings(machine.config, founded.full.repository, settings);
        const openCold = () => Promise.resolve(openMemoryCold(place));
        return { ...machine, session: { ...machine.session, now: () => place.now(), openCold } };
      },
    });
  });
}

/** What an upload did. */
export interface Uploaded {
  plan: UploadPlan;
  counts: PlacedCounts;
  dropped?: Dropped;
}

/** Uploads as the verb does, with a repository and a cold store that a test may have wrapped. */
export async function uploadOnce(
  session: VerbSession,
  options: {
    cold: ColdStore;
    wrap?: (repository: Repository) => Repository;
    dropLocal?: boolean;
    gather?: boolean;
    parallel?: number;
  },
): Promise<Uploaded> {
  const { cold, wrap = (repository) => repository, dropLocal = false, parallel = 2 } = options;
  const opened = await open(session);
  try {
    const repository = wrap(opened.repository);
    const domain = repository.keyring.defaultDomain.id;
    await catchUp(session, repository, [domain]);
    const around: Opened = { ...opened, repository };
    const run = await ColdRun.begin(session, { opened: around, domain, cold, targetBytes: BRICK_BYTES, parallel });
    try {
      const plan = await run.uploadRest();
      const dropped = dropLocal ? await run.dropLocal() : undefined;
      await run.end();
      return { plan, counts: run.uploader.counts, ...(dropped && { dropped }) };
    } catch (error) {
      await run.giveUp();
      throw error;
    }
  } finally {
    await opened.close();
  }
}

/** Thaws everything and waits until it is there. */
export async function thawAll(place: ColdPlaceInMemory): Promise<void> {
  const cold = openMemoryCold(place);
  const { signal } = new AbortController();
  for (const { handle, bytes, removedAt } of place.objects) {
    if (removedAt === undefined) await cold.thaw({ handle, bytes }, { tier: "bulk", days: 30, signal });
  }
  // A vault keeps a copy for a day only.
  place.advance((place.isVault ? 13 : 49) * 3_600_000);
}

/** Names of all bricks in the cold store, alone or in bundles, each as often as it is there. */
export async function coldBricks(place: ColdPlaceInMemory): Promise<string[]> {
  const names: string[] = [];
  for (const { name, content, removedAt } of place.objects) {
    if (removedAt !== undefined || name === undefined) continue;
    if (name.startsWith("bundles/")) {
      names.push(...(await namesInTar(content)).filter((name) => /^(bricks|meta)\//.test(name)));
    } else names.push(name);
  }
  return names.sort();
}

/** The names that GNU tar lists. */
export async function namesInTar(content: Uint8Array<ArrayBuffer>): Promise<string[]> {
  const tar = new Deno.Command("tar", { args: ["tf", "-"], stdin: "piped", stdout: "piped" }).spawn();
  const output = tar.output();
  const writer = tar.stdin.getWriter();
  await writer.write(content);
  await writer.close();
  return new TextDecoder().decode((await output).stdout).trimEnd().split("\n");
}

export function hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
