/**
 * Signature Version 4 against the examples that Amazon publishes: amazon-glacier-signing-requests of the Glacier developer
 * guide, and "Examples: Signature Calculations" of the S3 API reference (sig-v4-header-based-auth, sigv4-streaming).
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { unframed } from "./s3/aws_chunked.ts";
import { send, someBytes, withEmulator } from "./scene.ts";
import {
  type Authorization,
  canonicalRequest,
  readAuthorization,
  signature,
  type Signed,
  signingKey,
} from "./signature.ts";

const emptyHash = createHash("sha256").digest("hex");
const s3Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

function authorizationOf(headers: Record<string, string>, scope: [string, string, string]): Authorization {
  const [date, region, service] = scope;
  const signedHeaders = Object.keys(headers).sort();
  return { accessKeyId: "AKIAIOSFODNN7EXAMPLE", date, region, service, signedHeaders, signature: "" };
}

function s3Signature(method: string, target: string, more: Record<string, string>, payloadHash = emptyHash): string {
  const [path, query = ""] = target.split("?") as [string, string?];
  const headers = {
    host: "examplebucket.s3.amazonaws.com",
    "x-amz-content-sha256": payloadHash,
    "x-amz-date": "20130524T000000Z",
    ...more,
  };
  const signed: Signed = { method, path, query, headers: new Map(Object.entries(headers)) };
  const at = "20130524T000000Z";
  return signature(signed, authorizationOf(headers, ["20130524", "us-east-1", "s3"]), {
    secret: s3Secret,
    at,
    payloadHash,
  });
}

Deno.test("the request of the Glacier guide has the canonical hash that the guide prints", () => {
  const headers = {
    host: "glacier.us-east-1.amazonaws.com",
    "x-amz-date": "20120525T002453Z",
    "x-amz-glacier-version": "2012-06-01",
  };
  const signed = {
    method: "PUT",
    path: "/-/vaults/examplevault",
    query: "",
    headers: new Map(Object.entries(headers)),
  };
  const signedHeaders = Object.keys(headers);
  const canonical = canonicalRequest(signed, { service: "glacier", signedHeaders, payloadHash: emptyHash });
  assert.equal(
    createHash("sha256").update(canonical).digest("hex"),
    "5f1da1a2d0feb614dd03d71e87928b8e449ac87614479332aced3a701f916743",
  );
  const scope = authorizationOf(headers, ["20120525", "us-east-1", "glacier"]);
  assert.equal(
    signature(signed, scope, { secret: s3Secret, at: "20120525T002453Z", payloadHash: emptyHash }),
    "3ce5b2f2fffac9262b4da9256f8d086b4aaf42eba5f111c21681a65a127b7c2a",
  );
});

Deno.test("the requests of the S3 reference have the signatures that it prints", () => {
  assert.equal(
    s3Signature("GET", "/test.txt", { range: "bytes=0-9" }),
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  );
  const body = createHash("sha256").update("Welcome to Amazon S3.").digest("hex");
  const put = { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" };
  assert.equal(
    s3Signature("PUT", "/test%24file.text", put, body),
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  );
  assert.equal(
    s3Signature("GET", "/?lifecycle", {}),
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  );
  assert.equal(
    s3Signature("GET", "/?max-keys=2&prefix=J", {}),
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  );
});

Deno.test("the signed chunks of the S3 reference are taken, and refused with one byte changed", async () => {
  const scope = authorizationOf({}, ["20130524", "us-east-1", "s3"]);
  const signing = {
    key: signingKey(s3Secret, scope),
    at: "20130524T000000Z",
    scope: "20130524/us-east-1/s3/aws4_request",
    seed: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  };
  const framed = "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
    "a".repeat(65536) +
    "\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
    "a".repeat(1024) +
    "\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
  const take = async (text: string, pieceLength: number) => {
    const pieces = async function* () {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length; at += pieceLength) {
        yield await Promise.resolve(bytes.subarray(at, at + pieceLength));
      }
    };
    let length = 0;
    for await (const piece of unframed(pieces(), { signing, onTrailer: () => {} })) length += piece.length;
    return length;
  };
  assert.equal(await take(framed, framed.length), 66560);
  assert.equal(await take(framed, 7), 66560);
  await assert.rejects(take(framed.replace("aaa", "aba"), 1000), { code: "SignatureDoesNotMatch" });
});

Deno.test("an Authorization header that is not whole is none", () => {
  const whole = "AWS4-HMAC-SHA256 Credential=A/20260301/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00";
  assert.equal(readAuthorization(whole)?.region, "us-east-1");
  for (const part of ["Credential=", "/us-east-1", "SignedHeaders=host, ", ", Signature=00", "AWS4-HMAC-SHA256 "]) {
    assert.equal(readAuthorization(whole.replace(part, "")), undefined, part);
  }
});

Deno.test("requests that are signed wrongly, too early or too late, or not at all are refused", () =>
  withEmulator(async ({ emulator }) => {
    emulator.createBucket("backups");
    const list = { method: "GET", target: "/backups?list-type=2", service: "s3" } as const;
    const vaults = { method: "GET", target: "/-/vaults", service: "glacier" } as const;
    const code = async (request: Parameters<typeof send>[1]) => {
      const { status, text } = await send(emulator, request);
      return `${status} ${text.match(/<Code>(\w+)|"code":"(\w+)"/)?.slice(1).join("") ?? ""}`;
    };
    assert.equal(await code(list), "200 ");
    assert.equal(await code(vaults), "200 ");
    assert.equal(await code({ ...list, secret: "another" }), "403 SignatureDoesNotMatch");
    assert.equal(await code({ ...vaults, secret: "another" }), "403 InvalidSignatureException");
    assert.equal(await code({ ...list, at: new Date(Date.now() - 16 * 60_000) }), "403 RequestTimeTooSkewed");
    assert.equal(await code({ ...list, at: emulator.clock.now() }), "200 ", "the emulator's own time is as good");
    assert.equal(await code({ ...list, region: "eu-west-1" }), "400 AuthorizationHeaderMalformed");
    assert.equal(await code({ ...list, unsigned: { "x-amz-meta-a": "b" } }), "403 AccessDenied");
    assert.equal(
      await code({ ...vaults, headers: { "x-amz-glacier-version": "2013-01-01" } }),
      "400 InvalidParameterValueException",
    );
    assert.equal((await fetch(`${emulator.endpoint}/backups`).then(async (r) => [r.status, await r.text()]))[0], 403);
  }));

Deno.test("a body other than the signed one is refused, by S3 and by vaults", () =>
  withEmulator(async ({ emulator }) => {
    emulator.createBucket("backups");
    emulator.createVault("backups");
    const body = someBytes(1000);
    const payloadHash = createHash("sha256").update("other").digest("hex");
    const put = { method: "PUT", target: "/backups/key", service: "s3", body } as const;
    assert.match((await send(emulator, { ...put, payloadHash })).text, /XAmzContentSHA256Mismatch/);
    assert.equal((await send(emulator, put)).status, 200);
    assert.equal((await send(emulator, { ...put, payloadHash: "UNSIGNED-PAYLOAD" })).status, 200);
    const job = { method: "POST", target: "/-/vaults/backups/jobs", service: "glacier", body } as const;
    assert.match((await send(emulator, { ...job, payloadHash: "UNSIGNED-PAYLOAD" })).text, /InvalidArgument/);
    assert.match((await send(emulator, { ...job, payloadHash })).text, /InvalidParameterValueException/);
  }));
