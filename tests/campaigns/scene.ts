/** What a fault is played with. */
import assert from "node:assert/strict";
import type { Numbers } from "./numbers.ts";
import { assertEnded, feedWhole } from "./running.ts";
import type { Site } from "./site.ts";
import { assertRestores, sampleTar } from "./stream.ts";

const MIB = 1024 * 1024;

/** A folder of its own, chance, and what is to be undone when the play is over. */
export interface Scene {
  readonly folder: string;
  readonly next: Numbers;
  readonly cleanUp: (() => Promise<void>)[];
}

/** A tar that is in the repository before anything goes wrong. */
export interface Kept {
  readonly tar: Uint8Array;
  readonly snapshot: string;
}

/** Makes a backup that must not be lost. */
export async function keep(site: Site, { next }: Scene): Promise<Kept> {
  const tar = sampleTar(next(2 ** 31), 3 * MIB);
  const ended = await feedWhole(site.startCreate(), tar);
  assertEnded(ended, { code: 0, silent: true });
  return { tar, snapshot: (JSON.parse(ended.stdout) as { snapshot: string }).snapshot };
}

/** A tar of which the larger part is on its way when something goes wrong. */
export function largeTar({ next }: Scene, bytes = 36 * MIB): Uint8Array<ArrayBuffer> {
  return sampleTar(next(2 ** 31), bytes);
}

/** That nothing was lost: the backup that was kept is whole, for a machine that sees the repository for the first time. */
export async function assertKept(site: Site, { tar, snapshot }: Kept): Promise<void> {
  const stranger = site.stranger();
  const { problems } = await stranger.verify({ data: true, bricks: true });
  assert.deepEqual(problems, []);
  await assertRestores(stranger, { snapshot, expected: tar });
}

/** That nothing was lost, and that the next run does what the one before could not, and tidies up. */
export async function assertRecovers(site: Site, kept: Kept, tar: Uint8Array): Promise<void> {
  await assertKept(site, kept);
  const ended = await feedWhole(site.startCreate(), tar);
  assertEnded(ended, { code: 0, silent: true });
  await assertRestores(site.stranger(), { expected: tar });
  await assertKept(site, kept);
  await site.assertTidy();
}
