/**
 * A whole ledger of so many chunks taken into an empty catalogue, as `rebuild` does and the first command on a new machine.
 * Each step is a process of its own, so that its memory is its own:
 *
 *   deno run -A bench/ledger_scale.ts fill|learn FOLDER CHUNKS
 *
 * `fill` writes genuine ledger objects of synthetic bricks, `learn` reads them. Results are a line of JSON.
 */
import { encodeLedger, type WrittenRecord } from "../lib/brick/mod.ts";
import { Catalog } from "../lib/catalog/mod.ts";
import { createFullBundle, formatBundle, fromHex, Keyring, parseBundle } from "../lib/crypto/mod.ts";
import { CONFIG_NAME, formatConfig, learn, ledgerFolder, newStamp, openRepository } from "../lib/repository/mod.ts";
import { createDirectoryStore, openDirectoryStore, type Store } from "../lib/store/mod.ts";
import { peakBytes } from "./measure.ts";
import { ownProcess } from "./own_process.ts";
import { brickRow, syntheticBricks } from "./synthetic_bricks.ts";
import { median } from "./words.ts";

const REPOSITORY = "b0".repeat(16);
const FIRST_AT = new Date("2026-01-01T00:00:00Z").getTime();
/** As backups write them. */
const BRICKS_AN_OBJECT = 16;
const ROUNDS = 3;

export interface LedgerResult {
  /** Chunks a second. */
  learnsPerSecond: number;
  learnPeakBytes: number;
}

/** Makes a ledger of so many chunks in `folder`, which must be empty, and learns it several times. */
export async function ledgerScale(folder: string, chunks: number): Promise<LedgerResult> {
  await child("fill", folder, chunks);
  const rounds: LedgerResult[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(JSON.parse(await child("learn", folder, chunks)));
  return {
    learnsPerSecond: median(rounds.map(({ learnsPerSecond }) => learnsPerSecond)),
    learnPeakBytes: Math.max(...rounds.map(({ learnPeakBytes }) => learnPeakBytes)),
  };
}

function child(what: "fill" | "learn", folder: string, chunks: number): Promise<string> {
  return ownProcess(import.meta.url, [what, folder, String(chunks)], `${what} of ${chunks} chunks`);
}

async function fill(folder: string, chunks: number): Promise<void> {
  const config = formatConfig({
    ...{ repository: REPOSITORY, created: new Date(FIRST_AT).toISOString() },
    chunks: { min: 64 * 1024, average: 256 * 1024, max: 1024 * 1024 },
  });
  const bundle = await createFullBundle({ repository: REPOSITORY, config, domainName: "default" });
  await Deno.writeTextFile(`${folder}/key`, formatBundle(bundle), { mode: 0o600 });
  const store = await createDirectoryStore(`${folder}/repository`);
  await store.put(CONFIG_NAME, new TextEncoder().encode(config));
  await putLedger(store, new Keyring(bundle), chunks);
  await store.close();
}

async function putLedger(store: Store, keyring: Keyring, chunks: number): Promise<void> {
  const domain = keyring.defaultDomain.id;
  const { ledger } = await keyring.shapeKeys(domain);
  let records: WrittenRecord[] = [];
  let objects = 0;
  const put = async () => {
    const name = ledgerFolder(domain) + newStamp(new Date(FIRST_AT + 1000 * objects++));
    await store.put(name, await encodeLedger(records, { key: ledger, domain: fromHex(domain), name }));
    records = [];
  };
  for (const brick of syntheticBricks(chunks)) {
    const { name, kind, bytes, treeHash, blocks, chunks } = brickRow(brick);
    const toc = { blocks: new Uint8Array(blocks), chunks: new Uint8Array(chunks) };
    records.push({ type: "brick", brick: { name, kind, bytes, treeHash, toc } });
    if (records.length === BRICKS_AN_OBJECT) await put();
  }
  if (records.length > 0) await put();
}

async function learnAll(folder: string, chunks: number): Promise<LedgerResult> {
  const place = await Deno.makeTempDir({ dir: folder, prefix: "state-" });
  const store = await openDirectoryStore(`${folder}/repository`);
  const keyring = new Keyring(parseBundle(await Deno.readTextFile(`${folder}/key`)));
  const catalog = Catalog.open(`${place}/catalog.sqlite`, { repository: keyring.repository });
  try {
    const repository = await openRepository({ store, keyring, catalog });
    const began = performance.now();
    const problems = await learn(repository, keyring.defaultDomain.id, { whole: true });
    const ms = performance.now() - began;
    if (problems.length > 0) throw problems[0];
    const learned = [...catalog.bricks()].reduce((sum, { chunkCount }) => sum + chunkCount, 0);
    if (learned < chunks) throw new Error(`Only ${learned} of ${chunks} chunks were learned`);
    return { learnsPerSecond: learned / ms * 1000, learnPeakBytes: peakBytes() };
  } finally {
    catalog.close();
    await store.close();
    await Deno.remove(place, { recursive: true });
  }
}

if (import.meta.main) {
  const [what, folder, chunks] = Deno.args;
  if (what === "fill") await fill(folder!, Number(chunks));
  else Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(await learnAll(folder!, Number(chunks)))));
}
