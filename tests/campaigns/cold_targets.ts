/**
 * The places of the cold campaign: a vault and a bucket of the emulator, and buckets of servers that nobody here wrote. What
 * was asked of each is read from the server's own log.
 */
import { type Emulator, startEmulator } from "../emulator/mod.ts";
import { type BucketServer, servers } from "./bucket_servers.ts";

/** One request, as the server wrote it down. */
export interface ColdCall {
  /** Amazon's name: `PutObject`, `UploadMultipartPart`, … */
  readonly operation: string;
  /** An object's key, or the id of a vault's upload, archive or job. */
  readonly name: string;
  /** Of a vault's part. */
  readonly range: string;
  readonly status: number;
  readonly bytesIn: number;
}

/** A place where bricks sleep. */
export interface ColdTarget {
  readonly name: string;
  readonly isVault: boolean;
  /** Bricks must be thawed there before they can be read. */
  readonly sleeps: boolean;
  readonly endpoint: string;
  readonly environment: Record<string, string>;
  /** As `--to` takes it. */
  place(folder: string): string;
  /** Given: its clock can be moved, and faults be played. */
  readonly emulator?: Emulator;
  /** What was asked of places in `folder` since `forgetCalls`. */
  calls(folder: string): Promise<ColdCall[]>;
  forgetCalls(): Promise<void>;
  stop(): Promise<void>;
}

const BUCKET = "backups";

/** How to start each; `SkippedError` where it is not installed. */
export const targets: Record<string, (folder: string) => Promise<ColdTarget>> = {
  vault: (folder) => emulated(folder, { isVault: true }),
  bucket: (folder) => emulated(folder, { isVault: false }),
  async moto(folder) {
    const server = await servers["moto"]!(folder);
    await answer(server, "/moto-api/state-manager/set-transition", {
      model_name: "s3::keyrestore",
      // A copy is there when somebody has looked so often.
      transition: { progression: "manual", times: 4 },
    });
    return elsewhere(server, { sleeps: true, read: motoCall });
  },
  versitygw: async (folder) => elsewhere(await servers["versitygw"]!(folder), { sleeps: false, read: versityCall }),
};

/** Whether what happens at a target can be played: its clock, faults, and moments between two requests. */
export function isEmulated(name: string): boolean {
  return name === "vault" || name === "bucket";
}

async function emulated(folder: string, { isVault }: { isVault: boolean }): Promise<ColdTarget> {
  const emulator = await startEmulator({ folder });
  emulator.createBucket(BUCKET);
  // A vault has no folders: each place is a vault of its own.
  const vaults = new Set<string>();
  return {
    name: isVault ? "vault" : "bucket",
    ...{ isVault, sleeps: true, endpoint: emulator.endpoint, environment: emulator.environment(), emulator },
    place(folder) {
      if (!isVault) return bucketPlace(folder);
      if (!vaults.has(folder)) emulator.createVault(folder);
      vaults.add(folder);
      return `glacier://${emulator.region}/${folder}`;
    },
    calls: (folder) =>
      Promise.resolve(
        emulator.requests
          .filter(({ vault, key }) => isVault ? vault === folder : key === undefined || key.startsWith(`${folder}/`))
          .map(({ operation, key, id, range = "", status, bytesIn }) => ({
            ...{ operation, name: key ?? id ?? "", range, status, bytesIn },
          })),
      ),
    forgetCalls: () => Promise.resolve(void (emulator.requests.length = 0)),
    stop: () => emulator.close(),
  };
}

function bucketPlace(folder: string): string {
  return `s3://${BUCKET}/${folder}?class=DEEP_ARCHIVE`;
}

function elsewhere(
  server: BucketServer,
  { sleeps, read }: { sleeps: boolean; read: (line: string) => ColdCall | undefined },
): ColdTarget {
  let seen = 0;
  return {
    name: server.name,
    ...{ isVault: false, sleeps, endpoint: server.endpoint, environment: server.environment, place: bucketPlace },
    calls: async (folder) =>
      (await server.accessLog()).slice(seen).flatMap((line) => read(line) ?? [])
        .filter(({ name }) => name === "" || name.startsWith(`${folder}/`)),
    async forgetCalls() {
      // The last line is not finished.
      seen = (await server.accessLog()).length - 1;
    },
    stop: () => server.stop(),
  };
}

/** `… "PUT /backups/key?x-id=PutObject HTTP/1.1" 200 -` */
function motoCall(line: string): ColdCall | undefined {
  const [, method = "", path = "", query = "", status] =
    /"([A-Z]+) \/backups\/?([^ ?]*)\??([^ ]*) HTTP\/1\.1.*" (\d{3})/.exec(line) ?? [];
  if (status === undefined) return undefined;
  const names: Record<string, string> = {
    PUT: "PutObject",
    HEAD: "HeadObject",
    GET: /list-type/.test(query) ? "ListObjectsV2" : "GetObject",
    POST: "RestoreObject",
    DELETE: "DeleteObject",
  };
  return { operation: names[method] ?? method, name: path, range: "", status: Number(status), bytesIn: 0 };
}

/** `… ID s3_PutObject key /backups/key 200 - …` */
function versityCall(line: string): ColdCall | undefined {
  const [, operation, path = "", status] = / s3_(\w+) \S+ \/backups\/?([^ ?]*)\S* (\d{3}) /.exec(line) ?? [];
  if (operation === undefined) return undefined;
  return { operation, name: path, range: "", status: Number(status), bytesIn: 0 };
}

async function answer({ endpoint }: BucketServer, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${endpoint}${path}`, { method: "POST", body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
}
