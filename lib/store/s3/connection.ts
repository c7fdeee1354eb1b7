/**
 * The AWS SDK, in the one mode that is safe everywhere: a body of known length with its SHA-256 as a plain header, no
 * trailing checksums (servers that do not know them store their framing as content), no retries of its own (streams are
 * never retried, and its budget dries up), no streams of the web. It is loaded when a bucket is first used: that takes a
 * tenth of a second and 57 MiB.
 */
import type { S3Client } from "@aws-sdk/client-s3";
import { statusOf } from "./failures.ts";
import type { AwsKeys } from "./limits.ts";
import type { BucketPlace } from "./place.ts";

/** The SDK's module. */
export type Sdk = typeof import("@aws-sdk/client-s3");

type Credentials = () => Promise<AwsKeys>;

const CONNECT_MS = 10_000;
/** More than all lanes together ever use. */
const SOCKETS = 64;

/** A client for one bucket, which can be made anew with fresh credentials. */
export class Connection {
  readonly sdk: Sdk;
  readonly #place: BucketPlace;
  readonly #credentials: Credentials | undefined;
  /** Whoever is under way on these must not be cut off by a refresh. */
  readonly #retired: S3Client[] = [];
  #client: S3Client | undefined;
  #region: string | undefined;

  private constructor(sdk: Sdk, place: BucketPlace, credentials: Credentials | undefined) {
    this.sdk = sdk;
    this.#place = place;
    this.#credentials = credentials;
    this.#region = place.region;
  }

  /** `credentials` undefined: the whole chain. */
  static async open(place: BucketPlace, credentials?: Credentials): Promise<Connection> {
    return new Connection(await import("@aws-sdk/client-s3"), place, credentials);
  }

  /**
   * Does one request; `call` gets the client and must finish with the answer's body. A bucket that turns out to be in
   * another region is asked there.
   */
  async send<T>(call: (client: S3Client) => Promise<T>): Promise<T> {
    try {
      return await call(await this.#ready());
    } catch (error) {
      const region = otherRegion(error);
      if (region === undefined || region === this.#region || this.#place.endpoint !== undefined) throw error;
      this.refresh();
      this.#region = region;
      return await call(await this.#ready());
    }
  }

  /** Forgets connections and credentials; the next request asks the whole credential chain again. */
  refresh(): void {
    if (this.#client !== undefined) this.#retired.push(this.#client);
    this.#client = undefined;
  }

  /** Closes all connections. */
  close(): void {
    this.refresh();
    for (const client of this.#retired.splice(0)) client.destroy();
  }

  async #ready(): Promise<S3Client> {
    if (this.#client === undefined) {
      this.#region ??= await configuredRegion(this.sdk, this.#place.profile) ?? "us-east-1";
      this.#client = makeClient(this.sdk, { ...this.#place, region: this.#region }, this.#credentials);
    }
    return this.#client;
  }
}

function makeClient(
  sdk: Sdk,
  { endpoint, profile, pathStyle, region }: BucketPlace & { region: string },
  credentials: Credentials | undefined,
): S3Client {
  const client = new sdk.S3Client({
    region,
    ...(credentials === undefined ? {} : { credentials }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(profile === undefined ? {} : { profile }),
    forcePathStyle: pathStyle ?? (endpoint !== undefined && !/\.amazonaws\.com(\.cn)?(:\d+)?\/?$/.test(endpoint)),
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 1,
    // Deno's node:http does not tell of a "100 Continue", so the SDK would wait for it in vain.
    expectContinueHeader: false,
    // The SDK's own would tell the server what system we run on, and ask Deno for the permission to know.
    defaultUserAgentProvider: () => Promise.resolve([["TARzan"]]),
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      httpAgent: { keepAlive: true, maxSockets: SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: SOCKETS },
    },
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  });
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { headers?: Record<string, string> };
      Object.assign((result.output as { $metadata: object }).$metadata, { date: headers?.["date"] });
      return result;
    },
    { step: "deserialize", priority: "high", name: "dateOfAnswer" },
  );
  return client;
}

/** The Date header of an answer: the clock that stamps objects. */
export function dateOf(output: { $metadata: object }): Date | undefined {
  const { date } = output.$metadata as { date?: string };
  const at = new Date(date ?? NaN);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

function otherRegion(error: unknown): string | undefined {
  const status = statusOf(error);
  if (status !== 301 && status !== 307 && status !== 400) return undefined;
  const { $response, Region } = error as { $response?: { headers?: Record<string, string> }; Region?: unknown };
  return $response?.headers?.["x-amz-bucket-region"] ?? (typeof Region === "string" ? Region : undefined);
}

/** The region that the environment or a profile names. */
async function configuredRegion(sdk: Sdk, profile: string | undefined): Promise<string | undefined> {
  const client = new sdk.S3Client(profile === undefined ? {} : { profile });
  try {
    return await client.config.region();
  } catch {
    // "Region is missing": nobody has named one.
    return undefined;
  } finally {
    client.destroy();
  }
}

/**
 * The whole credential chain: environment, profile, SSO, web identity, container, instance role, process. Keys are kept until
 * they expire; ask for them at every request.
 */
export function awsCredentials(
  profile?: string,
): { credentials(): Promise<AwsKeys>; region(): Promise<string | undefined> } {
  const options = profile === undefined ? {} : { profile };
  const provider = import("@aws-sdk/credential-provider-node").then(({ defaultProvider }) => defaultProvider(options));
  provider.catch(() => {});
  return {
    async credentials() {
      const { accessKeyId, secretAccessKey, sessionToken } = await (await provider)();
      return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
    },
    region: async () => await configuredRegion(await import("@aws-sdk/client-s3"), profile),
  };
}
