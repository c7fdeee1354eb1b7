// Where bricks sleep, as people write it.

import assert from "node:assert/strict";
import { isColdLocation, openColdStore, parseColdLocation } from "../../lib/glacier/mod.ts";

Deno.test("buckets are read with class, endpoint and region", () => {
  assert.deepEqual(parseColdLocation("s3://bucket/a/b?class=DEEP_ARCHIVE"), {
    kind: "bucket",
    class: "DEEP_ARCHIVE",
    place: { bucket: "bucket", prefix: "a/b/" },
  });
  assert.deepEqual(
    parseColdLocation("S3://bucket?class=glacier_ir&endpoint=http://127.0.0.1:9000&region=eu-central-1"),
    {
      kind: "bucket",
      class: "GLACIER_IR",
      place: { bucket: "bucket", prefix: "", endpoint: "http://127.0.0.1:9000", region: "eu-central-1" },
    },
  );
});

Deno.test("vaults are read with region and name, and Amazon's own endpoint unless another one is given", () => {
  const endpointOf = (text: string) => {
    const place = parseColdLocation(text);
    return place.kind === "vault" ? [place.region, place.vault, place.endpoint.href] : [];
  };
  assert.deepEqual(endpointOf("glacier://us-east-1/my.vault_1"), [
    "us-east-1",
    "my.vault_1",
    "https://glacier.us-east-1.amazonaws.com/",
  ]);
  assert.equal(endpointOf("glacier://cn-north-1/v/")[2], "https://glacier.cn-north-1.amazonaws.com.cn/");
  assert.equal(endpointOf("glacier://us-gov-west-1/v?endpoint=http://127.0.0.1:8080")[2], "http://127.0.0.1:8080/");
});

Deno.test("the location of an open store is what was written, without options", async () => {
  const credentials = () => Promise.resolve({ accessKeyId: "a", secretAccessKey: "b" });
  const vault = await openColdStore("glacier://us-east-1/v?endpoint=http://127.0.0.1:1", { limits: { credentials } });
  assert.deepEqual([vault.location, vault.class], ["glacier://us-east-1/v", "VAULT"]);
  await vault.close();
  const bucket = await openColdStore("s3://bucket/a?class=GLACIER&endpoint=http://127.0.0.1:1");
  assert.deepEqual([bucket.location, bucket.class], ["s3://bucket/a", "GLACIER"]);
  await bucket.close();
});

Deno.test("what is written wrongly is told, with what would have been right", () => {
  const wrong: [string, RegExp][] = [
    ["s3://bucket/prefix", /it has no class; write s3:\/\/BUCKET\/PREFIX\?class=DEEP_ARCHIVE/],
    ["s3://bucket?class=COLD", /there is no class "COLD"/],
    ["s3://bucket?class=STANDARD", /there is no class "STANDARD"/],
    ["s3://bucket?class=GLACIER&class=DEEP_ARCHIVE", /"class" twice/],
    ["s3://bucket?class=GLACIER&tier=bulk", /an option "tier" that is not known/],
    ["s3://?class=GLACIER", /not a place in a bucket/],
    ["s3://bucket/../x?class=GLACIER", /not a place in a bucket/],
    ["s3://bucket?class=GLACIER&endpoint=ftp://x", /no|endpoint such as/],
    ["s3://bucket?class=GLACIER&endpoint=https://user:secret@x", /endpoint such as/],
    ["s3://bucket?class=GLACIER&region=here", /"here" is not a region/],
    ["glacier://vault", /not written like one/],
    ["glacier://us-east-1/", /not the name of a vault/],
    ["glacier://us-east-1/..", /not the name of a vault/],
    ["glacier://us-east-1/a/b", /not written like one/],
    ["glacier://useast/v", /"useast" is not a region/],
    ["glacier://us-east-1/v?class=DEEP_ARCHIVE", /an option "class" that is not known/],
    ["/srv/backup", /not written like one/],
  ];
  for (const [text, message] of wrong) assert.throws(() => parseColdLocation(text), message, text);
});

Deno.test("a text is known as a cold store by its beginning, or by its class", () => {
  assert.ok(isColdLocation("glacier://anything"));
  assert.ok(isColdLocation("s3://b?class=GLACIER"));
  assert.ok(!isColdLocation("s3://b/prefix"));
  assert.ok(!isColdLocation("/srv/glacier"));
});
