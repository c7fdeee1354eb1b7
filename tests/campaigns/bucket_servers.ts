/** Servers that keep buckets: our emulator, and two that nobody here wrote, started for a campaign on ports of their own. */
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { type Emulator, startEmulator } from "../emulator/mod.ts";
import { SkippedError } from "./tally.ts";

/** A running server with the buckets "conformance", "backups" and "locked" (with Object Lock). */
export interface BucketServer {
  readonly name: string;
  readonly endpoint: string;
  readonly environment: Record<string, string>;
  /** Remembers the class of an object. */
  readonly keepsClasses: boolean;
  /** Parts of the names of conformance tests that it is known to fail, now and then. */
  readonly weakAt: readonly string[];
  /** Given: what was asked of it can be looked at. */
  readonly emulator?: Emulator;
  /** What the server itself wrote down of requests, a line each; nothing for the emulator, which has better. */
  accessLog(): Promise<string[]>;
  stop(): Promise<void>;
}

/** How to start each; `SkippedError` where it is not installed. */
export const servers: Record<string, (folder: string) => Promise<BucketServer>> = {
  async emulator(folder) {
    const emulator = await startEmulator({ folder });
    emulator.createBucket("conformance");
    emulator.createBucket("backups");
    emulator.createBucket("locked", { objectLock: true });
    return {
      name: "emulator",
      endpoint: emulator.endpoint,
      environment: emulator.environment(),
      keepsClasses: true,
      weakAt: [],
      emulator,
      accessLog: () => Promise.resolve([]),
      stop: () => emulator.close(),
    };
  },

  async versitygw(folder) {
    for (const name of ["objects", "versions", "attributes"]) await Deno.mkdir(`${folder}/${name}`);
    const port = freePort();
    const places = ["--versioning-dir", `${folder}/versions`, "--sidecar", `${folder}/attributes`, `${folder}/objects`];
    return await startServer({
      name: "versitygw",
      argv: [
        ...["versitygw", "--quiet", "--port", `127.0.0.1:${port}`, "--access-log", `${folder}/access.log`],
        ...["posix", ...places],
      ],
      logFile: `${folder}/access.log`,
      env: { ROOT_ACCESS_KEY: keys.AWS_ACCESS_KEY_ID, ROOT_SECRET_KEY: keys.AWS_SECRET_ACCESS_KEY },
      port,
      install: "go install github.com/versity/versitygw/cmd/versitygw@v1.7.0",
      keepsClasses: false,
      // Its If-None-Match looks first and stores later, and its Date header is up to a second old.
      weakAt: ["puts with once at the same time", "its times fit the store's clock"],
    });
  },

  async moto() {
    const port = freePort();
    return await startServer({
      name: "moto",
      argv: ["moto_server", "-H", "127.0.0.1", "-p", `${port}`],
      env: { S3_IGNORE_SUBDOMAIN_BUCKETNAME: "true" },
      port,
      install: "pip install 'moto[server]' awscrt",
      keepsClasses: true,
      weakAt: [],
    });
  },
};

const keys = {
  AWS_ACCESS_KEY_ID: "campaign",
  AWS_SECRET_ACCESS_KEY: "the secret of the campaign",
  AWS_REGION: "us-east-1",
  AWS_EC2_METADATA_DISABLED: "true",
};

interface Program {
  name: string;
  argv: string[];
  /** Where it writes its access log; without, that goes to its standard error. */
  logFile?: string;
  env: Record<string, string>;
  port: number;
  install: string;
  keepsClasses: boolean;
  weakAt: readonly string[];
}

async function startServer({ argv, env, port, install, logFile, ...about }: Program): Promise<BucketServer> {
  let child: Deno.ChildProcess;
  const stderr = logFile === undefined ? "piped" : "null";
  try {
    const options = { args: argv.slice(1), env, stdin: "null", stdout: "null", stderr } as const;
    child = new Deno.Command(argv[0]!, options).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new SkippedError(`${argv[0]} is not installed; "${install}" brings it`);
  }
  const told = stderr === "piped" ? readAll(child.stderr) : undefined;
  const accessLog = async () => (logFile === undefined ? told!.text() : await Deno.readTextFile(logFile)).split("\n");
  const stop = async () => {
    try {
      child.kill("SIGKILL");
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    await child.status;
    await told?.end;
  };
  try {
    await answering(port, child);
    const endpoint = `http://127.0.0.1:${port}`;
    await makeBuckets(endpoint);
    return { ...about, endpoint, environment: keys, accessLog, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Takes in all that a server says, so that it never waits for a reader. */
function readAll(stream: ReadableStream<Uint8Array>): { text(): string; end: Promise<void> } {
  const decoder = new TextDecoder();
  let text = "";
  const end = (async () => {
    for await (const piece of stream) text += decoder.decode(piece, { stream: true });
  })();
  return { text: () => text, end };
}

/** Waits until somebody listens. */
async function answering(port: number, child: Deno.ChildProcess): Promise<void> {
  let over = false;
  void child.status.then(() => over = true);
  for (let tries = 0; tries < 150; tries++) {
    if (over) throw new Error("The server ended as soon as it had begun");
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  throw new Error("The server does not answer after half a minute");
}

async function makeBuckets(endpoint: string): Promise<void> {
  const client = new S3Client({
    endpoint,
    region: keys.AWS_REGION,
    forcePathStyle: true,
    credentials: { accessKeyId: keys.AWS_ACCESS_KEY_ID, secretAccessKey: keys.AWS_SECRET_ACCESS_KEY },
  });
  for (const name of ["conformance", "backups"]) await client.send(new CreateBucketCommand({ Bucket: name }));
  await client.send(new CreateBucketCommand({ Bucket: "locked", ObjectLockEnabledForBucket: true }));
  client.destroy();
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}
