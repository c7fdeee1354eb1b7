/** `glacier-upload`: brings everything that is not yet in cold storage there. */
import { DamageError } from "../crypto/mod.ts";
import {
  type ColdClass,
  type ColdStore,
  estimateUpload,
  parseColdLocation,
  type UploadEstimate,
} from "../glacier/mod.ts";
import {
  type Dropped,
  noteCondemned,
  noteDamage,
  planUpload,
  type Repository,
  type UploadPlan,
  visibleDomains,
} from "../repository/mod.ts";
import {
  ColdRun,
  type ColdRunOptions,
  PARALLEL_UPLOADS,
  refuseSamePlace,
  tellOfKept,
  uploadOptions,
} from "./cold_run.ts";
import { catchUp, open, type Opened } from "./open.ts";
import { readPrices } from "./price_file.ts";
import { readSettings } from "./settings.ts";
import type { VerbSession } from "./session.ts";

export interface GlacierUploadOptions {
  /** The cold store; undefined: the one that the repository was made with. */
  to?: string | undefined;
  /** Only look and reckon. */
  dryRun: boolean;
  /** Remove hot copies of data bricks that cold storage confirms. */
  dropLocal: boolean;
  /** Uploads at once. */
  parallel?: number | undefined;
}

/** What was sent, or would be. */
export interface GlacierUploadResult {
  location: string;
  class: ColdClass;
  dryRun: boolean;
  /** Objects, and how many of them are bundles. */
  objects: number;
  bundles: number;
  bytes: number;
  /** Small data bricks that wait in the hot store until there are more of them. */
  waiting: { bricks: number; bytes: number };
  /** Bricks that are neither in the hot store nor at this place. */
  elsewhere: number;
  /** Bricks that were not sent because they are damaged. */
  damaged: string[];
  estimate: UploadEstimate;
  dropped?: Dropped;
}

/** Uploads what the key can see. */
export async function glacierUpload(session: VerbSession, options: GlacierUploadOptions): Promise<GlacierUploadResult> {
  const opened = await open(session, { need: "create" });
  try {
    const { repository } = opened;
    const to = options.to ?? repository.config.cold;
    if (to === undefined) {
      throw new Error(
        "This repository was made without cold storage: say where to, such as --to s3://BUCKET/PREFIX?class=DEEP_ARCHIVE " +
          "or --to glacier://REGION/VAULT",
      );
    }
    parseColdLocation(to);
    refuseSamePlace(repository, to);
    const domains = await visibleDomains(repository);
    await catchUp(session, repository, domains);
    await noteCondemned(repository);
    for (const { message } of (await noteDamage(repository)).problems) session.warn(message);
    const cold = await repository.cold!.open(to);
    return await uploadDomains(session, { opened, domains, cold, options });
  } finally {
    await opened.close();
  }
}

async function uploadDomains(
  session: VerbSession,
  { opened, domains, cold, options }: {
    opened: Opened;
    domains: string[];
    cold: ColdStore;
    options: GlacierUploadOptions;
  },
): Promise<GlacierUploadResult> {
  const { repository } = opened;
  const { dryRun, parallel = PARALLEL_UPLOADS } = options;
  const { brickSizeBytes: targetBytes } = await readSettings(session.places.config(), repository.config.repository);
  const plans: UploadPlan[] = [];
  const problems: DamageError[] = [];
  const drops: Dropped[] = [];
  for (const domain of domains) {
    const run = { opened, domain, cold, targetBytes, parallel };
    if (dryRun) {
      plans.push(await planUpload(repository, uploadOptions(run)));
      continue;
    }
    const { plan, problems: met, dropped } = await uploadDomain(session, run, options);
    plans.push(plan);
    problems.push(...met);
    if (dropped !== undefined) drops.push(dropped);
  }
  const damaged = tellOfUnsent(session, { repository, plans, problems });
  const sizes = plans.flatMap(({ objects }) => objects);
  const prices = await readPrices(session.places.config());
  const dropped = options.dropLocal && !dryRun ? drops.reduce(together, noDrop) : undefined;
  if (dropped !== undefined) tellOfKept(session, dropped);
  const result = {
    ...{ location: cold.location, class: cold.class, dryRun, objects: sizes.length },
    bundles: plans.reduce((sum, { bundles }) => sum + bundles, 0),
    bytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
    waiting: {
      bricks: plans.reduce((sum, { unplaced }) => sum + unplaced.waiting.bricks, 0),
      bytes: plans.reduce((sum, { unplaced }) => sum + unplaced.waiting.bytes, 0),
    },
    elsewhere: plans.reduce((sum, { unplaced }) => sum + unplaced.elsewhere.length, 0),
    damaged,
    estimate: estimateUpload(sizes.map((bytes) => ({ class: cold.class, bytes })), { prices }),
    ...(dropped && { dropped }),
  };
  if (problems.length > 0) throw problems[0]!;
  return result;
}

async function uploadDomain(
  session: VerbSession,
  options: ColdRunOptions,
  { dropLocal }: GlacierUploadOptions,
): Promise<{ plan: UploadPlan; problems: readonly DamageError[]; dropped?: Dropped }> {
  let bytesDone = 0;
  let bytesTotal = 0;
  const progress = () => session.progress.update({ phase: "uploading", bytesDone, bytesTotal });
  const sent = (bytes: number) => {
    bytesDone += bytes;
    progress();
  };
  const run = await ColdRun.begin(session, { ...options, sent });
  try {
    const plan = await run.uploadRest(({ bytes }) => {
      bytesTotal = bytesDone + bytes;
      progress();
    });
    const dropped = dropLocal ? await run.dropLocal() : undefined;
    await run.end();
    return { plan, problems: run.uploader.problems, ...(dropped && { dropped }) };
  } catch (error) {
    await run.giveUp();
    throw error;
  }
}

/** Tells of what cannot be sent; names of bricks that are damaged. */
function tellOfUnsent(
  session: VerbSession,
  { repository, plans, problems }: { repository: Repository; plans: UploadPlan[]; problems: DamageError[] },
): string[] {
  const damaged = plans.flatMap(({ unplaced }) => unplaced.damaged);
  const elsewhere = plans.flatMap(({ unplaced }) => unplaced.elsewhere);
  if (damaged.length > 0) {
    session.warn(
      `${damaged.length} bricks are damaged and were not sent (${
        damaged[0]!.slice(0, 16)
      }…). Run "tarzan verify" to see ` +
        "what that touches",
    );
  }
  if (elsewhere.length > 0) {
    session.warn(
      `${elsewhere.length} bricks are not in ${repository.store.location} (${elsewhere[0]!.slice(0, 16)}…), so they ` +
        "cannot be sent from there",
    );
  }
  for (const { message } of problems) session.warn(message);
  return damaged;
}

const noDrop: Dropped = { bricks: 0, bytes: 0, unconfirmed: 0, refused: 0 };

function together(a: Dropped, b: Dropped): Dropped {
  const why = a.why ?? b.why;
  const refusal = a.refusal ?? b.refusal;
  return {
    bricks: a.bricks + b.bricks,
    bytes: a.bytes + b.bytes,
    unconfirmed: a.unconfirmed + b.unconfirmed,
    refused: a.refused + b.refused,
    ...(why === undefined ? {} : { why }),
    ...(refusal === undefined ? {} : { refusal }),
  };
}
