/**
 * Machines for tests: each has one key and a memory of its own (catalogue, journals, pins), and uses the verbs as the
 * command line does. Keys are given as the text of their bundle, which costs no scrypt.
 */
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import {
  createListBundle,
  createWriteBundle,
  formatBundle,
  type FullBundle,
  openSlot,
  parseBundle,
} from "../../lib/crypto/mod.ts";
import {
  create,
  type CreateResult,
  extract,
  init,
  type VerbSession,
  verify,
  type VerifyResult,
} from "../../lib/verbs/mod.ts";

/** A repository in a folder, and who may do what with it. */
export interface Founded {
  readonly folder: string;
  readonly location: string;
  /** The age identity to which its first slot is sealed. */
  readonly identity: string;
  readonly full: FullBundle;
  /** Texts of keys. */
  readonly fullKey: string;
  readonly listKey: string;
  writeKey(domainName: string): Promise<string>;
  /** A machine that has never been here. */
  machine(key: string): Machine;
}

/** One machine. */
export interface Machine {
  readonly session: VerbSession;
  /** Where its memory is. */
  readonly state: string;
  readonly config: string;
  /** What it warned of, so far. */
  readonly warnings: string[];
  create(tar: Uint8Array | Iterable<Uint8Array>, options?: CreateChoice): Promise<CreateResult>;
  /** The whole stream of a snapshot, by default the newest complete one. */
  extract(snapshot?: string): Promise<Uint8Array<ArrayBuffer>>;
  verify(options?: { bricks?: boolean; data?: boolean; backups?: string[] }): Promise<VerifyResult>;
}

/** What tests vary about a backup. */
export interface CreateChoice {
  readonly brickBytes?: number;
  readonly label?: string;
  readonly level?: number;
  readonly threads?: number;
}

/** Small chunks, so that little data has many of them. */
export const SMALL_CHUNKS = { min: 4096, average: 8192, max: 16384 };
const MIB = 1024 * 1024;

/** Runs a test with a folder that is removed afterwards. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tarzan-test-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Makes a repository in `folder`, sealed to one age identity: a new one, or that of another repository. */
export async function found(folder: string, options: { identity?: string; name?: string } = {}): Promise<Founded> {
  const identity = options.identity ?? await generateHybridIdentity();
  const location = `${folder}/${options.name ?? "repository"}`;
  const session = sessionOf({ location, state: `${folder}/founding/state`, config: `${folder}/founding/config` });
  const { slots } = await init(session, {
    chunkSizes: SMALL_CHUNKS,
    recipients: [await identityToRecipient(identity)],
    recipientsFiles: [],
    passphraseChoice: "none",
  });
  const fullKey = await openSlot(await Deno.readFile(`${location}/${slots[0]!}`), { identities: [identity] });
  const full = parseBundle(fullKey) as FullBundle;
  let machines = 0;
  return {
    folder,
    location,
    identity,
    full,
    fullKey,
    listKey: formatBundle(await createListBundle(full)),
    writeKey: async (name) => formatBundle(await createWriteBundle(full, name)),
    machine(key) {
      const home = `${folder}/${options.name ?? "machine"}-${++machines}`;
      return machineOf({ location, state: `${home}/state`, config: `${home}/config`, key });
    },
  };
}

/** A machine at some place; the same `state` again is the same machine after a restart. */
export function machineOf(at: { location: string; state: string; config: string; key: string }): Machine {
  const warnings: string[] = [];
  const session = { ...sessionOf(at), warn: (message: string) => void warnings.push(message) };
  return {
    session,
    state: at.state,
    config: at.config,
    warnings,
    create: (tar, options = {}) =>
      create({ ...session, threads: options.threads ?? 1 }, {
        out: undefined,
        label: options.label,
        tags: [],
        level: options.level ?? 3,
        brickSizeBytes: options.brickBytes ?? 16 * MIB,
        source: { kind: "bytes", pieces: tar instanceof Uint8Array ? [tar] : tar },
      }),
    async extract(snapshot) {
      const pieces: Uint8Array[] = [];
      await extract(session, { snapshot, paths: [], output: (bytes) => void pieces.push(bytes.slice()) });
      return joined(pieces);
    },
    verify: ({ bricks = false, data = false, backups = [] } = {}) =>
      verify(session, { backups, bricks, dataPercent: data ? 100 : 0 }),
  };
}

/** A session whose only key is `key`. */
export function sessionOf(at: { location: string; state: string; config: string; key?: string }): VerbSession {
  const nobody = {
    passphrase: () => Promise.reject(new Error("This test has no passphrase")),
    identities: at.key === undefined ? [] : [at.key],
  };
  return {
    places: { repository: () => at.location, state: () => at.state, config: () => at.config },
    repositoryGiven: true,
    secrets: nobody,
    newSecrets: nobody,
    progress: { update() {}, done() {} },
    signal: new AbortController().signal,
    threads: 1,
    keepsEntries: true,
    now: () => new Date(),
    childEnvironment: () => ({}),
    warn() {},
    note() {},
    askYes: () => Promise.resolve(false),
  };
}

/** One array of several. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Bytes that follow from a seed and cannot be compressed. */
export function noise(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed * 2654435761 | 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state >>> 11;
  }
  return bytes;
}
