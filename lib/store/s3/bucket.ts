/**
 * One bucket, or what is below a prefix in it, as requests that either succeed, also through hours of trouble, or say why not.
 * Nothing that it was told is believed: after every put the store is asked what it holds, by size and SHA-256.
 */
import { boundedRange } from "../range.ts";
import {
  type BucketObject,
  difference,
  fromUrl,
  hexToBase64,
  parseRestore,
  requireSize,
  type RestoreState,
  sha256Of,
  wholeSecond,
} from "./answers.ts";
import { ExistsError, NotFoundError } from "../errors.ts";
import { Connection, dateOf } from "./connection.ts";
import { codeOf, explain, OddAnswerError, statusOf, UnfaithfulError } from "./failures.ts";
import { Lanes } from "./lanes.ts";
import { machineClock, type TransferLimits } from "./limits.ts";
import { Patience } from "./patience.ts";
import { bucketLocation, type BucketPlace } from "./place.ts";
import { Rate } from "./rate.ts";
import { type Body, type Incoming, isSmall, openBody, takeBody, Watch } from "./transfer.ts";
import type { S3Client } from "@aws-sdk/client-s3";

/** Until when a version of an object can be neither removed nor replaced; COMPLIANCE: by nobody at all. */
export interface ObjectLock {
  mode: "GOVERNANCE" | "COMPLIANCE";
  until: Date;
}

/** One object of a listing. */
export interface BucketEntry {
  key: string;
  bytes: number;
  modifiedAt: Date;
  class: string;
  restore?: RestoreState;
}

export interface PutOptions {
  /** Storage class; undefined: STANDARD. */
  class?: string;
  /** Store only if the key is free. */
  once?: boolean;
  lock?: ObjectLock;
  signal?: AbortSignal;
  /** Hears of bytes that went out; of a negative number when a try failed and they go out again. */
  sent?: (bytes: number) => void;
}

/** Opens a bucket; nothing is asked of it yet. */
export async function openBucket(place: BucketPlace, limits: TransferLimits = {}): Promise<Bucket> {
  return new Bucket(place, { limits, connection: await Connection.open(place, limits.credentials) });
}

const PAGE = 1000;
const SMALL_AT_ONCE = 16;

type Request<T> = (client: S3Client, watch: Watch) => Promise<T>;

/** Keys are relative to the prefix. All failures are errors that name the place. */
export class Bucket {
  /** `s3://bucket/prefix`. */
  readonly location: string;
  readonly #place: BucketPlace;
  readonly #connection: Connection;
  readonly #signal: AbortSignal | undefined;
  readonly #stallMs: number;
  readonly #patience: Patience;
  readonly #upload: Rate;
  readonly #download: Rate;
  readonly #large: Lanes;
  readonly #small = new Lanes(SMALL_AT_ONCE);
  readonly #closing = new AbortController();

  constructor(place: BucketPlace, { limits, connection }: { limits: TransferLimits; connection: Connection }) {
    this.#place = place;
    this.location = bucketLocation(place);
    this.#connection = connection;
    this.#stallMs = limits.stallMs ?? 60_000;
    this.#patience = new Patience(this.location, limits);
    const clock = limits.clock ?? machineClock;
    this.#upload = new Rate(limits.uploadBytesPerSecond, clock);
    this.#download = new Rate(limits.downloadBytesPerSecond, clock);
    this.#large = new Lanes(limits.parallel ?? 4);
    const { signal } = this.#closing;
    this.#signal = limits.signal === undefined ? signal : AbortSignal.any([limits.signal, signal]);
  }

  /**
   * Stores an object and asks the store what it holds afterwards. "there": it was there before, with the same bytes. With
   * `once`, another object under that key is an `ExistsError`.
   */
  async put(key: string, body: Body, options: PutOptions = {}): Promise<"stored" | "there"> {
    const doing = `write ${this.#name(key)}`;
    const lanes = isSmall(body.bytes) ? this.#small : this.#large;
    return await lanes.run(() =>
      this.#tries(doing, { signal: options.signal, writing: true }, async (attempt) => {
        // An earlier try may have succeeded without our hearing of it.
        if (attempt > 1 && difference(await this.#head(key, options.signal), body) === undefined) return "stored";
        if (!(await this.#putOnce(key, body, options))) {
          const there = await this.#head(key, options.signal);
          if (there === undefined) throw new OddAnswerError("the key was taken and free at the same time");
          if (difference(there, body) === undefined) return attempt > 1 ? "stored" : "there";
          throw new ExistsError(`Cannot ${doing}: it exists already`);
        }
        const there = await this.#head(key, options.signal);
        if (there === undefined) {
          throw new OddAnswerError("the server said that it had stored the object, but it is not there");
        }
        // Some servers look first and store later, so that two may pass; the last one's bytes stay.
        if (options.once && there.sha256 !== undefined && there.sha256 !== body.sha256) {
          throw new ExistsError(`Cannot ${doing}: another machine has stored something else there at the same moment`);
        }
        const wrong = difference(there, body);
        if (wrong !== undefined) throw new UnfaithfulError(`the server does not hold what was sent: ${wrong}`);
        return "stored";
      })
    );
  }

  /** What is there under this key, or undefined. */
  async head(key: string): Promise<BucketObject | undefined> {
    return await this.#small.run(() => this.#tries(`look at ${this.#name(key)}`, {}, () => this.#head(key, undefined)));
  }

  /**
   * The bytes, or `range.length` of them from `range.from`; a range that reaches past the end gives what is there. Throws
   * `NotFoundError`, and `ArchivedError` for what must be restored first.
   */
  async get(key: string, range?: { from: number; length: number }): Promise<Uint8Array<ArrayBuffer>> {
    boundedRange(0, range);
    const doing = `read ${this.#name(key)}`;
    if (range?.length === 0) {
      if (await this.head(key) === undefined) throw new NotFoundError(`Cannot ${doing}: it does not exist`);
      return new Uint8Array();
    }
    const lanes = range !== undefined && isSmall(range.length) ? this.#small : this.#large;
    return await lanes.run(() => this.#tries(doing, {}, () => this.#get(key, range)));
  }

  /** All objects whose key begins with `prefix`, ascending; with `after`, only keys greater than that text. */
  async *list(
    prefix: string,
    options: { after?: string; restoreStatus?: boolean } = {},
  ): AsyncGenerator<BucketEntry> {
    const doing = `list ${this.#name(prefix)}`;
    const root = this.#place.prefix;
    for (let after = options.after ?? "";;) {
      const from = after;
      const page = await this.#small.run(() =>
        this.#tries(doing, {}, () => this.#listPage(prefix, { from, restoreStatus: options.restoreStatus ?? false }))
      );
      for (const object of page.objects) {
        if (!object.key.startsWith(root)) continue;
        yield { ...object, key: object.key.slice(root.length) };
      }
      if (!page.more) return;
      const last = page.objects.at(-1)?.key.slice(root.length);
      // A server that goes round in circles would keep us here for ever.
      if (last === undefined || last <= after) throw new Error(`Cannot ${doing}: the server lists the same keys again`);
      after = last;
    }
  }

  /** Asks for a readable copy of an archived object. "already": one is there, and is kept for `days` days from now. */
  async restore(
    key: string,
    { days, tier }: { days: number; tier: "Bulk" | "Standard" | "Expedited" },
  ): Promise<"asked" | "already" | "thawing"> {
    const doing = `ask for a copy of ${this.#name(key)}`;
    return await this.#small.run(() =>
      this.#tries(doing, { writing: true }, async () => {
        const { RestoreObjectCommand } = this.#connection.sdk;
        const input = {
          ...this.#at(key),
          RestoreRequest: { Days: days, GlacierJobParameters: { Tier: tier } },
        };
        try {
          const { $metadata } = await this.#request((client, { signal }) =>
            client.send(new RestoreObjectCommand(input), { abortSignal: signal })
          );
          return $metadata.httpStatusCode === 200 ? "already" : "asked";
        } catch (error) {
          if (codeOf(error) === "RestoreAlreadyInProgress") return "thawing";
          throw error;
        }
      })
    );
  }

  /** Removes an object; removing what is absent succeeds. In a bucket with versions the bytes stay as an old version. */
  async remove(key: string): Promise<void> {
    await this.#small.run(() =>
      this.#tries(`delete ${this.#name(key)}`, { writing: true }, async () => {
        const { DeleteObjectCommand } = this.#connection.sdk;
        await this.#request((client, { signal }) =>
          client.send(new DeleteObjectCommand(this.#at(key)), { abortSignal: signal })
        );
      })
    );
  }

  /** Locks the newest version of an object, or prolongs its lock; nobody shortens one. */
  async lock(key: string, { mode, until }: ObjectLock): Promise<void> {
    await this.#small.run(() =>
      this.#tries(`lock ${this.#name(key)}`, { writing: true }, async () => {
        const { PutObjectRetentionCommand } = this.#connection.sdk;
        const input = {
          ...this.#at(key),
          Retention: { Mode: mode, RetainUntilDate: until },
          ChecksumAlgorithm: "SHA256" as const,
        };
        await this.#request((client, { signal }) =>
          client.send(new PutObjectRetentionCommand(input), { abortSignal: signal })
        );
      })
    );
  }

  /** The store's clock. Also the cheapest way to find out whether the bucket can be listed. */
  async now(): Promise<Date> {
    return await this.#small.run(() =>
      this.#tries(`ask ${this.location} for the time`, {}, async () => {
        const { date } = await this.#listPage("", { from: "", restoreStatus: false, most: 1 });
        if (date === undefined) throw new Error("the server does not say what time it is (no Date header)");
        return date;
      })
    );
  }

  /** Ends what is under way and lets go of the connections. */
  close(): Promise<void> {
    this.#closing.abort(new Error(`The store ${this.location} was closed`));
    this.#connection.close();
    return Promise.resolve();
  }

  /** False: the key was taken. */
  async #putOnce(key: string, body: Body, options: PutOptions): Promise<boolean> {
    const { PutObjectCommand } = this.#connection.sdk;
    let out = 0;
    const sent = (bytes: number) => {
      out += bytes;
      options.sent?.(bytes);
    };
    try {
      return await this.#request(async (client, watch) => {
        const stream = await openBody(body, { rate: this.#upload, watch, stallMs: this.#stallMs, sent });
        try {
          await client.send(
            new PutObjectCommand({
              ...this.#at(key),
              Body: stream,
              ContentLength: body.bytes,
              ContentType: "application/octet-stream",
              ChecksumAlgorithm: "SHA256",
              ChecksumSHA256: hexToBase64(body.sha256),
              ...(options.once ? { IfNoneMatch: "*" } : {}),
              ...(options.class === undefined ? {} : { StorageClass: options.class as "STANDARD" }),
              ...(options.lock === undefined
                ? {}
                : { ObjectLockMode: options.lock.mode, ObjectLockRetainUntilDate: options.lock.until }),
            }),
            { abortSignal: watch.signal },
          );
        } finally {
          if (!(stream instanceof Uint8Array)) stream.destroy();
        }
        return true;
      }, options.signal);
    } catch (error) {
      options.sent?.(-out);
      if (statusOf(error) === 412) return false;
      throw error;
    }
  }

  async #head(key: string, signal: AbortSignal | undefined): Promise<BucketObject | undefined> {
    try {
      return await this.#headOnce(key, signal);
    } catch (error) {
      if (statusOf(error) !== 400 && statusOf(error) !== 403) throw error;
      // The answer to a HEAD has no body to say why: expired keys, a wrong clock, a denial. That to a LIST has.
      await this.#listPage(key, { from: "", restoreStatus: false, most: 1 });
      return await this.#headOnce(key, signal);
    }
  }

  async #headOnce(key: string, signal: AbortSignal | undefined): Promise<BucketObject | undefined> {
    const { HeadObjectCommand } = this.#connection.sdk;
    try {
      const answer = await this.#request(
        (client, watch) =>
          client.send(new HeadObjectCommand({ ...this.#at(key), ChecksumMode: "ENABLED" }), {
            abortSignal: watch.signal,
          }),
        signal,
      );
      const restore = parseRestore(answer.Restore);
      return {
        bytes: requireSize(answer.ContentLength),
        ...sha256Of(answer.ChecksumSHA256),
        class: answer.StorageClass ?? "STANDARD",
        ...(restore === undefined ? {} : { restore }),
        modifiedAt: wholeSecond(answer.LastModified),
        ...(answer.ObjectLockRetainUntilDate === undefined ? {} : { lockedUntil: answer.ObjectLockRetainUntilDate }),
      };
    } catch (error) {
      if (statusOf(error) === 404 && codeOf(error) !== "NoSuchBucket") return undefined;
      throw error;
    }
  }

  async #get(key: string, range: { from: number; length: number } | undefined): Promise<Uint8Array<ArrayBuffer>> {
    const { GetObjectCommand } = this.#connection.sdk;
    const { from, length } = range ?? { from: 0, length: Infinity };
    const last = Math.min(from + length - 1, Number.MAX_SAFE_INTEGER);
    const input = { ...this.#at(key), ...(range === undefined ? {} : { Range: `bytes=${from}-${last}` }) };
    try {
      return await this.#request(async (client, watch) => {
        const answer = await client.send(new GetObjectCommand(input), { abortSignal: watch.signal });
        const announced = requireSize(answer.ContentLength);
        // A server may leave the range out of account and send all of it.
        const skip = answer.$metadata.httpStatusCode === 206 ? 0 : from;
        const { rate, stallMs } = { rate: this.#download, stallMs: this.#stallMs };
        return await takeBody(answer.Body as Incoming, { skip, length, announced, rate, watch, stallMs });
      });
    } catch (error) {
      // The object ends before the range begins.
      if (statusOf(error) === 416) return new Uint8Array();
      throw error;
    }
  }

  async #listPage(
    prefix: string,
    { from, restoreStatus, most = PAGE }: { from: string; restoreStatus: boolean; most?: number },
  ): Promise<{ objects: BucketEntry[]; more: boolean; date: Date | undefined }> {
    const { ListObjectsV2Command } = this.#connection.sdk;
    const root = this.#place.prefix;
    const answer = await this.#request((client, { signal }) =>
      client.send(
        new ListObjectsV2Command({
          Bucket: this.#place.bucket,
          Prefix: root + prefix,
          MaxKeys: most,
          // Names with control characters would be no XML.
          EncodingType: "url",
          ...(from === "" ? {} : { StartAfter: root + from }),
          ...(restoreStatus ? { OptionalObjectAttributes: ["RestoreStatus" as const] } : {}),
        }),
        { abortSignal: signal },
      )
    );
    if (answer.IsTruncated === undefined && answer.Name === undefined) {
      throw new OddAnswerError("the server answered with something that is no listing");
    }
    const decode = (key: string) => answer.EncodingType === "url" ? fromUrl(key) : key;
    const objects = (answer.Contents ?? []).map((object): BucketEntry => {
      const { IsRestoreInProgress: ongoing, RestoreExpiryDate: until } = object.RestoreStatus ?? {};
      return {
        key: decode(object.Key ?? ""),
        bytes: requireSize(object.Size),
        modifiedAt: wholeSecond(object.LastModified),
        class: object.StorageClass ?? "STANDARD",
        ...(ongoing === undefined ? {} : { restore: { ongoing, ...(until === undefined ? {} : { until }) } }),
      };
    });
    return { objects, more: answer.IsTruncated ?? false, date: dateOf(answer) };
  }

  async #tries<T>(
    doing: string,
    { signal, writing = false }: { signal?: AbortSignal | undefined; writing?: boolean },
    attempt: (number: number) => Promise<T>,
  ): Promise<T> {
    const whole = signal === undefined ? this.#signal : AbortSignal.any([signal, this.#signal!]);
    try {
      return await this.#patience.run(attempt, { signal: whole, refresh: () => this.#connection.refresh() });
    } catch (error) {
      if (whole?.aborted) throw whole.reason;
      const { bucket, endpoint } = this.#place;
      throw explain(error, { doing, bucket, endpoint, writing });
    }
  }

  async #request<T>(call: Request<T>, signal?: AbortSignal): Promise<T> {
    const whole = signal === undefined ? this.#signal : AbortSignal.any([signal, this.#signal!]);
    const watch = new Watch(this.#stallMs, whole);
    try {
      return await this.#connection.send((client) => call(client, watch));
    } catch (error) {
      throw watch.reason(error);
    } finally {
      watch.end();
    }
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#place.bucket, Key: this.#place.prefix + key };
  }

  #name(key: string): string {
    return `s3://${this.#place.bucket}/${this.#place.prefix}${key}`;
  }
}
