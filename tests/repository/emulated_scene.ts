/** A repository with cold storage in the emulator, and ways to it through the real clients. */
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { openSlot } from "../../lib/crypto/mod.ts";
import { openColdStore } from "../../lib/glacier/mod.ts";
import { init, type VerbSession } from "../../lib/verbs/mod.ts";
import { openStore } from "../../lib/verbs/open_store.ts";
import { rememberSettings } from "../../lib/verbs/settings.ts";
import { type Emulator, type LoggedRequest, startEmulator } from "../emulator/mod.ts";
import { BRICK_BYTES } from "./cold_scene.ts";
import { inFolder, sessionOf, SMALL_CHUNKS } from "./machine.ts";

const HOUR_MS = 3_600_000;

export interface EmulatedScene {
  emulator: Emulator;
  location: string;
  cold: string;
  /** A session of the same machine; of another one with a name. */
  session(options?: { signal?: AbortSignal; machine?: string }): VerbSession;
  /** Where that machine's memory is, and the text of its key. */
  home: string;
  key: string;
}

/** Runs a test with an emulator and a repository (`isPlain`: that was made without cold storage): in a directory, or in a bucket of the emulator. */
export async function inEmulatedScene(
  options: { kind: "bucket" | "vault"; hot?: "bucket"; isPlain?: boolean },
  test: (scene: EmulatedScene) => Promise<void>,
): Promise<void> {
  const emulator = await startEmulator();
  emulator.createBucket("cold");
  emulator.createBucket("hot");
  emulator.createVault("vault");
  try {
    await inFolder(async (folder) => {
      const place = options.kind === "bucket" ? "s3://cold/backup?class=DEEP_ARCHIVE" : "glacier://us-east-1/vault?";
      const cold = `${place}&endpoint=${emulator.endpoint}`.replace("?&", "?");
      const location = options.hot === undefined ? `${folder}/repository` : "s3://hot/repository";
      const identity = await generateHybridIdentity();
      const known: { key?: string } = {};
      const { accessKeyId, secretAccessKey, region } = emulator;
      const session: EmulatedScene["session"] = ({ signal, machine = "machine" } = {}) => {
        const home = `${folder}/${machine}`;
        const around = sessionOf({ location, state: `${home}/state`, config: `${home}/config`, ...known });
        const credentials = () => Promise.resolve({ accessKeyId, secretAccessKey });
        const bucket = {
          ...(options.hot && { endpoint: emulator.endpoint }),
          ...{ region, limits: { credentials } },
        };
        return { ...around, bucket, now: () => emulator.clock.now(), ...(signal && { signal }) };
      };
      const { slots, repository } = await init(session(), {
        chunkSizes: SMALL_CHUNKS,
        ...(options.isPlain ? {} : { cold }),
        recipients: [await identityToRecipient(identity)],
        recipientsFiles: [],
        passphraseChoice: "none",
      });
      await rememberSettings(session().places.config(), repository, { level: undefined, brickSizeBytes: BRICK_BYTES });
      known.key = await openSlot(await slotOf(location, slots[0]!, session()), { identities: [identity] });
      await test({ emulator, location, cold, session, home: `${folder}/machine`, key: known.key });
    });
  } finally {
    await emulator.close();
  }
}

async function slotOf(location: string, name: string, session: VerbSession): Promise<Uint8Array<ArrayBuffer>> {
  const store = await openStore(session, location);
  try {
    return await store.get(name);
  } finally {
    await store.close();
  }
}

/** Asks for all copies and lets the time pass. */
export async function thawEmulated({ emulator, cold }: EmulatedScene): Promise<void> {
  const { accessKeyId, secretAccessKey } = emulator;
  const credentials = () => Promise.resolve({ accessKeyId, secretAccessKey });
  const store = await openColdStore(cold, { limits: { credentials }, now: () => emulator.clock.now() });
  const { signal } = new AbortController();
  for (const { handle, bytes } of placedIn(emulator)) {
    await store.thaw({ handle, bytes }, { tier: "standard", days: 2, signal });
  }
  await store.close();
  emulator.clock.advance(13 * HOUR_MS);
}

/** Whether a request was done, and the client could know of it. */
export function isDone({ status, confirmed }: LoggedRequest): boolean {
  return status >= 200 && status < 300 && confirmed;
}

/** What was stored and confirmed, from the log of requests. */
function placedIn({ requests }: Emulator): { handle: string; bytes: number }[] {
  return requests.filter((request) => isDone(request) && request.bucket === "cold" && request.operation === "PutObject")
    .map(({ key, bytesIn }) => ({ handle: key!.replace("backup/", ""), bytes: bytesIn }));
}
