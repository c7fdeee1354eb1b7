/** What goes wrong by plan, what is written down of it, and the ways of hostile servers. */
import * as Glacier from "@aws-sdk/client-glacier";
import * as S3 from "@aws-sdk/client-s3";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { Emulator } from "./mod.ts";
import { refusal, send, signed, someBytes, withEmulator } from "./scene.ts";

const Bucket = "backups";
const vault = { accountId: "-", vaultName: "backups" };

Deno.test("an answer that is dropped is of something that was done, a request that is dropped is not", () =>
  withEmulator(async ({ emulator, s3 }) => {
    emulator.createBucket(Bucket);
    emulator.faults.add({ action: "drop-answer", operation: "PutObject", key: "a" });
    emulator.faults.add({ action: "drop-request", operation: "PutObject", key: "b" });
    emulator.faults.add({ action: "reset", operation: "PutObject", key: "c", afterBytes: 100_000 });
    for (const Key of ["a", "b", "c"]) {
      await refusal(s3.send(new S3.PutObjectCommand({ Bucket, Key, Body: someBytes(1_000_000) })));
    }
    const { Contents } = await s3.send(new S3.ListObjectsV2Command({ Bucket }));
    assert.deepEqual(Contents?.map(({ Key }) => Key), ["a"]);
    const told = emulator.requests.slice(0, 3).map((
      { key, status, confirmed, bytesIn, fault },
    ) => [key, status, confirmed, bytesIn, fault]);
    assert.deepEqual(told[0]!.slice(0, 3), ["a", 200, false]);
    assert.deepEqual(told[1], ["b", 0, false, 0, "drop-request"]);
    assert.deepEqual(told[2], ["c", 0, false, 100_000, "reset"]);
  }));

Deno.test("plans hit the requests that they name: by number, by operation, by key, in a time of outage", () =>
  withEmulator(async ({ emulator, s3, glacier }) => {
    emulator.createBucket(Bucket);
    emulator.createVault("backups");
    const head = (Key = "k") => refusal(s3.send(new S3.GetObjectCommand({ Bucket, Key })));
    emulator.faults.add({ action: "throttle", operation: "Get*", nth: 2, times: 2 });
    const seen = [await head(), await head(), await head(), await head()];
    assert.deepEqual(seen, ["NoSuchKey", "SlowDown", "SlowDown", "NoSuchKey"]);
    emulator.faults.clear();
    emulator.faults.add({ action: "server-error", key: /^only/ });
    assert.deepEqual([await head("only this"), await head("not only")], ["InternalError", "NoSuchKey"]);
    const until = new Date(emulator.clock.now().getTime() + 3_600_000);
    emulator.faults.add({ action: "unavailable", service: "s3", during: { from: emulator.clock.now(), until } });
    assert.equal(await head(), "ServiceUnavailable");
    await glacier.send(new Glacier.DescribeVaultCommand(vault));
    emulator.clock.advance(3_600_000);
    assert.equal(await head(), "NoSuchKey");
  }));

Deno.test("each service refuses in its own words", () =>
  withEmulator(async ({ emulator, s3, glacier }) => {
    emulator.createBucket(Bucket);
    emulator.createVault("backups");
    const both = async (action: Parameters<typeof emulator.faults.add>[0]["action"]) => {
      emulator.faults.clear();
      emulator.faults.add({ action });
      await refusal(s3.send(new S3.ListObjectsV2Command({ Bucket })));
      await refusal(glacier.send(new Glacier.DescribeVaultCommand(vault)));
      return emulator.requests.slice(-2).map(({ status, code }) => `${status} ${code}`);
    };
    assert.deepEqual(await both("throttle"), ["503 SlowDown", "400 ThrottlingException"]);
    assert.deepEqual(await both("server-error"), ["500 InternalError", "500 ServiceUnavailableException"]);
    assert.deepEqual(await both("timeout"), ["400 RequestTimeout", "408 RequestTimeoutException"]);
    assert.deepEqual(await both("expired-token"), ["400 ExpiredToken", "403 ExpiredTokenException"]);
    assert.deepEqual(await both("access-denied"), ["403 AccessDenied", "403 AccessDeniedException"]);
  }));

Deno.test("a download can end early, or bring a wrong bit", () =>
  withEmulator(async ({ emulator, s3Of }) => {
    emulator.createBucket(Bucket);
    const s3 = s3Of(emulator, { responseChecksumValidation: "WHEN_REQUIRED" });
    const Body = someBytes(200_000);
    await s3.send(new S3.PutObjectCommand({ Bucket, Key: "k", Body }));
    const get = async () => {
      const { Body } = await s3.send(new S3.GetObjectCommand({ Bucket, Key: "k" }));
      return new Uint8Array(await Body!.transformToByteArray());
    };
    emulator.faults.add({ action: "short-body", operation: "GetObject", afterBytes: 70_000, nth: 1 });
    await assert.rejects(get());
    assert.deepEqual([emulator.requests.at(-1)?.bytesOut, emulator.requests.at(-1)?.confirmed], [70_000, false]);
    emulator.faults.add({ action: "flip-bit", operation: "GetObject", nth: 1 });
    const flipped = await get();
    assert.equal(flipped.filter((byte, at) => byte !== Body[at]).length, 1);
    assert.deepEqual(await get(), Body);
  }));

/** A connection on which the headers of a PUT of `length` bytes have been sent. */
async function beginPut(emulator: Emulator, target: string, length: number, more = {}): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(emulator.endpoint).port) });
  const { headers } = signed(emulator, {
    ...{ method: "PUT", target, service: "s3", payloadHash: "UNSIGNED-PAYLOAD" },
    unsigned: { "content-length": String(length), ...more },
  });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  await connection.write(new TextEncoder().encode(`PUT ${target} HTTP/1.1\r\n${lines}\r\n`));
  return connection;
}

Deno.test("a request that the client breaks off is written down, and leaves nothing", () =>
  withEmulator(async ({ emulator, s3, asked }) => {
    emulator.createBucket(Bucket);
    const connection = await beginPut(emulator, `/${Bucket}/k`, 1000);
    await connection.write(new TextEncoder().encode("four"));
    connection.close();
    while (emulator.requests[0]?.bytesIn !== 4) await s3.send(new S3.ListObjectsV2Command({ Bucket }));
    assert.equal(asked()[0], "PutObject 0");
    assert.equal((await s3.send(new S3.ListObjectsV2Command({ Bucket }))).KeyCount, 0);
  }));

Deno.test("a request can be left without an answer, and a connection closed that was to be kept", () =>
  withEmulator(async ({ emulator, s3, asked }) => {
    emulator.createBucket(Bucket);
    emulator.faults.add({ action: "stall", operation: "PutObject", nth: 1 });
    emulator.faults.add({ action: "close-idle", operation: "PutObject", nth: 2 });
    const stalled = await beginPut(emulator, `/${Bucket}/k`, 4);
    await stalled.write(new TextEncoder().encode("four"));
    while (emulator.requests[0]?.bytesIn !== 4) await s3.send(new S3.ListObjectsV2Command({ Bucket }));
    assert.equal(asked()[0], "PutObject 0");
    stalled.close();
    assert.equal((await s3.send(new S3.ListObjectsV2Command({ Bucket }))).KeyCount, 0);

    using closed = await beginPut(emulator, `/${Bucket}/k`, 4);
    await closed.write(new TextEncoder().encode("four"));
    const answer = await new Response(closed.readable).text();
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*Connection: keep-alive\r\n\r\n$/);
  }));

Deno.test("a client that waits for leave to send its body is refused without it", () =>
  withEmulator(async ({ emulator }) => {
    emulator.createBucket(Bucket);
    const exchange = async (target: string) => {
      using connection = await beginPut(emulator, target, 4, { expect: "100-continue" });
      const buffer = new Uint8Array(10_000);
      return new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0)).split("\r\n")[0];
    };
    assert.equal(await exchange(`/${Bucket}/k`), "HTTP/1.1 100 Continue");
    assert.equal(await exchange("/another/k"), "HTTP/1.1 404 Not Found");
  }));

Deno.test("a hostile server writes over, keeps framing, loses checksums, lies about sizes, and says yes with a no inside", () =>
  withEmulator(async ({ emulator, s3 }) => {
    emulator.createBucket(Bucket);
    const { hostile } = emulator;
    const key = { Bucket, Key: "k" };
    const put = (more: Partial<S3.PutObjectCommandInput> = {}) =>
      s3.send(new S3.PutObjectCommand({ ...key, Body: "bytes", ...more }));
    const head = () => s3.send(new S3.HeadObjectCommand({ ...key, ChecksumMode: "ENABLED" }));
    await put({ IfNoneMatch: "*" });
    hostile.add("ignores-if-none-match");
    await put({ IfNoneMatch: "*" });
    hostile.clear();

    hostile.add("stores-aws-chunked");
    await put({ Body: Readable.from([someBytes(1000)]), ContentLength: 1000 });
    assert.ok((await head()).ContentLength! > 1000);
    hostile.clear();

    hostile.add("loses-checksum");
    const wrong = createHash("sha256").update("other").digest("base64");
    assert.equal((await put({ ChecksumSHA256: wrong })).ChecksumSHA256, undefined);
    assert.equal((await head()).ChecksumSHA256, undefined);
    hostile.clear();

    hostile.add("lies-about-size");
    assert.equal((await head()).ContentLength, 4);
    assert.equal((await s3.send(new S3.ListObjectsV2Command({ Bucket }))).Contents?.[0]?.Size, 4);
    hostile.clear();

    hostile.add("ok-with-error-inside");
    assert.equal(await refusal(put({ Key: "new" })), "InternalError", "Amazon's client looks inside");
    assert.equal(emulator.requests.at(-1)?.status, 200);
    assert.equal(
      await refusal(s3.send(new S3.CopyObjectCommand({ ...key, Key: "copy", CopySource: `${Bucket}/k` }))),
      "InternalError",
    );
    const Objects = [{ Key: "k" }];
    const deleted = await s3.send(new S3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    assert.equal(deleted.Errors?.[0]?.Code, "InternalError");
    hostile.clear();

    hostile.add("does-nothing");
    assert.notEqual((await put({ Key: "new" })).ETag, undefined);
    hostile.clear();
    assert.deepEqual((await s3.send(new S3.ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key), ["k"]);
  }));

Deno.test("people move the clock, plan faults and read the log by HTTP", () =>
  withEmulator(async ({ emulator }) => {
    const admin = async (method: string, path: string, body?: string) => {
      const response = await fetch(`${emulator.endpoint}/_emulator/${path}`, { method, ...(body ? { body } : {}) });
      return [response.status, (await response.text()).trim()];
    };
    assert.deepEqual(await admin("POST", "clock?advance=12h"), [200, "2026-03-01T22:00:00.000Z"]);
    assert.deepEqual((await admin("POST", "clock?advance=soon"))[0], 400);
    await admin("POST", `bucket?name=${Bucket}`);
    await admin(
      "POST",
      "faults",
      '{"action":"throttle","during":{"from":"2026-03-01T22:00:00Z","until":"2026-03-01T23:00:00Z"}}',
    );
    const list = { method: "GET", target: `/${Bucket}`, service: "s3" } as const;
    assert.equal((await send(emulator, list)).status, 503);
    await admin("POST", "clock?advance=1h");
    assert.equal((await send(emulator, list)).status, 200);
    const [, log] = await admin("GET", "requests");
    assert.deepEqual(String(log).split("\n").map((line) => JSON.parse(line).code), ["SlowDown", undefined]);
  }));
