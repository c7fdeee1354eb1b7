// Signatures of requests, against the example that Amazon prints.

import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { signed } from "../../lib/glacier/vault/sign.ts";

const at = new Date("2012-05-25T00:24:53Z");
const credentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const createVault = {
  method: "PUT",
  hostname: "glacier.us-east-1.amazonaws.com",
  path: "/-/vaults/examplevault",
  query: {},
  headers: { host: "glacier.us-east-1.amazonaws.com", "x-amz-glacier-version": "2012-06-01" },
};

/** The signature by the book, without the library. */
function byTheBook(canonicalRequestHash: string): string {
  const hmac = (key: string | Uint8Array, text: string) => createHmac("sha256", key).update(text).digest();
  const scope = "20120525/us-east-1/glacier/aws4_request";
  const key = scope.split("/").reduce<string | Uint8Array>(hmac, `AWS4${credentials.secretAccessKey}`);
  return hmac(key, `AWS4-HMAC-SHA256\n20120525T002453Z\n${scope}\n${canonicalRequestHash}`).toString("hex");
}

Deno.test("a request is signed as in the Amazon Glacier developer guide, signing requests", async () => {
  // The hash of the canonical request, as the guide gives it.
  const hash = "5f1da1a2d0feb614dd03d71e87928b8e449ac87614479332aced3a701f916743";
  const headers = await signed(createVault, { service: "glacier", region: "us-east-1", credentials, at });
  assert.equal(headers["x-amz-date"], "20120525T002453Z");
  assert.equal(
    headers.authorization,
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20120525/us-east-1/glacier/aws4_request, " +
      "SignedHeaders=host;x-amz-date;x-amz-glacier-version, " +
      "Signature=3ce5b2f2fffac9262b4da9256f8d086b4aaf42eba5f111c21681a65a127b7c2a",
  );
  assert.ok(headers.authorization.endsWith(byTheBook(hash)));
});

Deno.test("the hash of the body is signed where the request carries it, and a session token is sent", async () => {
  const hash = createHash("sha256").update("body").digest("hex");
  const request = { ...createVault, headers: { ...createVault.headers, "x-amz-content-sha256": hash } };
  const withToken = { ...credentials, sessionToken: "token" };
  const options = { service: "glacier", region: "us-east-1", credentials: withToken, at };
  const headers = await signed(request, options);
  assert.equal(headers["x-amz-security-token"], "token");
  assert.match(
    headers.authorization ?? "",
    /SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-glacier-version;x-amz-security-token,/,
  );
  const canonical = [
    "PUT",
    "/-/vaults/examplevault",
    "",
    "host:glacier.us-east-1.amazonaws.com",
    `x-amz-content-sha256:${hash}`,
    "x-amz-date:20120525T002453Z",
    "x-amz-glacier-version:2012-06-01",
    "x-amz-security-token:token",
    "",
    "host;x-amz-content-sha256;x-amz-date;x-amz-glacier-version;x-amz-security-token",
    hash,
  ].join("\n");
  assert.ok(headers.authorization?.endsWith(byTheBook(createHash("sha256").update(canonical).digest("hex"))));
});
