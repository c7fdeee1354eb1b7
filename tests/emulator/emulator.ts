/** One emulator: its state, its port, its end. */
import { type Bodies, inFolder, inMemory } from "./bodies.ts";
import type { Hostility, Surroundings, Switch } from "./call.ts";
import { type Clock, movableClock } from "./clock.ts";
import { answerAdmin } from "./admin.ts";
import { FaultPlans, type Faults } from "./faults.ts";
import { Connection } from "./http/connection.ts";
import type { LoggedRequest } from "./log.ts";
import { addBucket, type Buckets } from "./s3/bucket.ts";
import { serveConnection, type Site } from "./serve.ts";
import { owner, type User, userTable } from "./users.ts";
import { addVault, type Vaults } from "./vault/vault.ts";

export interface EmulatorOptions {
  /** Who may sign besides the owner. */
  users?: User[];
  /** Given: the clock stands still here until it is moved. Left out: it runs with the real one. */
  startAt?: Date;
  /** Bodies are kept in files of this folder instead of in memory. */
  folder?: string;
  /** Left out: one that is free. */
  port?: number;
}

export interface Emulator {
  /** `http://127.0.0.1:PORT`: S3, path style, and vaults; told apart by what a request is signed for. */
  readonly endpoint: string;
  readonly region: "us-east-1";
  /** Keys of the owner, who may do everything. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** For programs that use AWS's usual variables; of the owner, or of the user with this name. */
  environment(user?: string): Record<string, string>;
  readonly clock: Clock;
  /** Everything that was asked, in order of arrival. May be emptied with `.length = 0`. */
  readonly requests: LoggedRequest[];
  readonly faults: Faults;
  /** Ways in which the server is worse than Amazon's; change it at any time. */
  readonly hostile: Set<Hostility>;
  /** States of the services; change it at any time. */
  readonly switches: Set<Switch>;
  createBucket(name: string, options?: { objectLock?: boolean }): void;
  createVault(name: string): void;
  /** Ends connections and forgets everything; files in `folder` are removed. Fails if the emulator itself had failed. */
  close(): Promise<void>;
}

/** Starts an emulator on 127.0.0.1. */
// deno-lint-ignore require-await
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const users = userTable(options.users ?? []);
  const bodies: Bodies = options.folder === undefined ? inMemory : inFolder(options.folder);
  const clock = movableClock(options.startAt);
  const [hostile, switches] = [new Set<Hostility>(), new Set<Switch>()];
  const region = "us-east-1";
  const surroundings: Surroundings = { clock, bodies, hostile, switches, region };
  const [buckets, vaults, faults]: [Buckets, Vaults, FaultPlans] = [new Map(), new Map(), new FaultPlans()];
  const requests: LoggedRequest[] = [];
  const site: Site = {
    ...{ surroundings, buckets, vaults, users, requests, faults },
    admin: (request) => answerAdmin(emulator, request),
  };
  const listener = Deno.listen({ hostname: "127.0.0.1", port: options.port ?? 0 });
  const connections = new Map<Connection, Promise<void>>();
  const failures: unknown[] = [];
  const accepting = accept(listener, (connection) => {
    const served = serveConnection(site, connection)
      .catch((error) => void failures.push(error))
      .finally(() => connections.delete(connection));
    connections.set(connection, served);
  });
  const emulator: Emulator = {
    endpoint: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    ...{ region, clock, requests, faults, hostile, switches },
    accessKeyId: owner.accessKeyId,
    secretAccessKey: owner.secretAccessKey,
    environment: (name = owner.name) => {
      const user = [...users.values()].find((user) => user.name === name);
      if (!user) throw new Error(`The emulator has no user ${name}`);
      return {
        AWS_ACCESS_KEY_ID: user.accessKeyId,
        AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
        ...(user.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: user.sessionToken }),
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        AWS_EC2_METADATA_DISABLED: "true",
      };
    },
    createBucket: (name, { objectLock = false } = {}) => void addBucket(buckets, name, { at: clock.now(), objectLock }),
    createVault: (name) => addVault(vaults, name, clock.now()),
    async close() {
      listener.close();
      await accepting;
      for (const connection of connections.keys()) connection.close();
      await Promise.all(connections.values());
      dropAll(buckets, vaults);
      if (failures.length > 0) throw new AggregateError(failures, "The emulator itself failed at some requests");
    },
  };
  return emulator;
}

async function accept(listener: Deno.Listener, take: (connection: Connection) => void): Promise<void> {
  for (;;) {
    let tcp: Deno.TcpConn;
    try {
      tcp = await listener.accept() as Deno.TcpConn;
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
      throw error;
    }
    tcp.setNoDelay(true);
    take(new Connection(tcp));
  }
}

function dropAll(buckets: Buckets, vaults: Vaults): void {
  for (const bucket of buckets.values()) {
    for (const versions of bucket.keys.values()) for (const version of versions) version.body.drop();
    for (const upload of bucket.uploads.values()) for (const part of upload.parts.values()) part.body.drop();
  }
  for (const vault of vaults.values()) {
    for (const archive of vault.archives.values()) archive.body.drop();
    for (const upload of vault.uploads.values()) {
      if (!upload.ended) { for (const part of upload.parts.values()) part.body.drop(); }
    }
  }
}
