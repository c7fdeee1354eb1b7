/** The little of IAM that the emulator decides by. */
import * as Glacier from "@aws-sdk/client-glacier";
import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { PutObjectCommand, RestoreObjectCommand } from "@aws-sdk/client-s3";
import assert from "node:assert/strict";
import { allows, checkPolicy, type Policy } from "./policy.ts";
import { refusal, withEmulator } from "./scene.ts";

function asks(policy: Policy, action: string, resource: string, context: Record<string, string> = {}): boolean {
  checkPolicy(policy);
  return allows(policy, { action, resource, context: new Map(Object.entries(context)) });
}

Deno.test("what nothing allows is denied, and what anything denies is denied", () => {
  const policy: Policy = {
    Statement: [
      { Effect: "Allow", Action: ["s3:Put*", "s3:getobject"], Resource: "arn:aws:s3:::b/*" },
      { Effect: "Deny", Action: "s3:*", Resource: "arn:aws:s3:::b/secret/?" },
    ],
  };
  assert.equal(asks(policy, "s3:PutObject", "arn:aws:s3:::b/a/b"), true);
  assert.equal(asks(policy, "s3:GetObject", "arn:aws:s3:::b/a"), true, "actions have no case");
  assert.equal(asks(policy, "s3:DeleteObject", "arn:aws:s3:::b/a"), false);
  assert.equal(asks(policy, "s3:PutObject", "arn:aws:s3:::B/a"), false, "resources have");
  assert.equal(asks(policy, "s3:PutObject", "arn:aws:s3:::b/secret/x"), false);
  assert.equal(asks(policy, "s3:PutObject", "arn:aws:s3:::b/secret/xy"), true);
});

Deno.test("NotAction and NotResource are all but those", () => {
  const policy: Policy = {
    Statement: { Effect: "Allow", NotAction: "s3:Delete*", NotResource: "arn:aws:s3:::b/keys/*" },
  };
  assert.equal(asks(policy, "s3:PutObject", "arn:aws:s3:::b/a"), true);
  assert.equal(asks(policy, "s3:DeleteObject", "arn:aws:s3:::b/a"), false);
  assert.equal(asks(policy, "s3:PutObject", "arn:aws:s3:::b/keys/a"), false);
});

Deno.test("conditions hold by all their keys, and by any value of each", () => {
  const when = (
    Condition: Record<string, Record<string, string | string[] | boolean>>,
    context: Record<string, string>,
  ) => asks({ Statement: { Effect: "Allow", Action: "*", Resource: "*", Condition } }, "s3:PutObject", "r", context);
  const cold = { StringEquals: { "s3:x-amz-storage-class": ["GLACIER", "DEEP_ARCHIVE"] } };
  assert.equal(when(cold, { "s3:x-amz-storage-class": "DEEP_ARCHIVE" }), true);
  assert.equal(when(cold, { "s3:x-amz-storage-class": "STANDARD" }), false);
  assert.equal(when(cold, {}), false, "an absent key fits no value");
  assert.equal(when({ StringEqualsIfExists: cold.StringEquals }, {}), true);
  assert.equal(when({ StringNotEquals: cold.StringEquals }, {}), true);
  assert.equal(when({ StringNotEquals: cold.StringEquals }, { "s3:x-amz-storage-class": "GLACIER" }), false);
  assert.equal(when({ Null: { "s3:if-none-match": "true" } }, {}), true);
  assert.equal(when({ Null: { "s3:if-none-match": true } }, { "s3:if-none-match": "*" }), false);
  assert.equal(when({ Null: { "s3:if-none-match": "false" } }, { "s3:if-none-match": "*" }), true);
  assert.equal(when({ StringLike: { "s3:prefix": ["meta/*", ""] } }, { "s3:prefix": "meta/ab" }), true);
  assert.equal(when({ StringLike: { "s3:prefix": "meta/*" } }, { "s3:prefix": "bricks/" }), false);
  assert.equal(
    when({ Bool: { "s3:ObjectCreationOperation": "true" } }, { "s3:objectcreationoperation": "true" }),
    true,
  );
  const both = { ...cold, Null: { "s3:if-none-match": "false" } };
  assert.equal(when(both, { "s3:x-amz-storage-class": "GLACIER" }), false);
  assert.equal(when({ NumericLessThanEquals: { "s3:max-keys": "10" } }, { "s3:max-keys": "9" }), true);
});

Deno.test("a policy with something unknown in it is refused at the start", () => {
  const base = { Effect: "Allow", Action: "*", Resource: "*" } as const;
  assert.throws(
    () => checkPolicy({ Statement: { ...base, Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } } }),
    /IpAddress/,
  );
  assert.throws(() => checkPolicy({ Statement: { ...base, Principal: "*" } as never }), /Principal/);
  assert.throws(() => checkPolicy({ Statement: { Effect: "Allow", Action: "*" } }), /Resource/);
});

Deno.test("a user may do what the policy says: write once, never read or delete", () => {
  const writer = {
    name: "writer",
    accessKeyId: "AKIAWRITER",
    secretAccessKey: "writer's secret",
    policy: {
      Statement: [
        { Effect: "Allow", Action: "s3:PutObject", Resource: "arn:aws:s3:::backups/bricks/*" },
        {
          Effect: "Deny",
          Action: "s3:PutObject",
          Resource: "*",
          Condition: { Null: { "s3:if-none-match": "true" } },
        },
        {
          Effect: "Allow",
          Action: "s3:ListBucket",
          Resource: "arn:aws:s3:::backups",
          Condition: { StringLike: { "s3:prefix": "bricks/*" } },
        },
      ],
    } satisfies Policy,
  };
  return withEmulator(async ({ emulator, s3Of, asked }) => {
    emulator.createBucket("backups");
    const s3 = s3Of(writer);
    const brick = { Bucket: "backups", Key: "bricks/a" };
    const put = (Key: string, more = {}) =>
      s3.send(new PutObjectCommand({ Bucket: "backups", Key, Body: "x", ...more }));
    assert.equal(await refusal(put("bricks/a")), "AccessDenied");
    await put("bricks/a", { IfNoneMatch: "*" });
    assert.equal(await refusal(put("other/a", { IfNoneMatch: "*" })), "AccessDenied");
    assert.equal(await refusal(s3.send(new GetObjectCommand(brick))), "AccessDenied");
    await refusal(s3.send(new HeadObjectCommand(brick)));
    assert.deepEqual(asked().at(-1), "HeadObject 403");
    assert.equal(await refusal(s3.send(new DeleteObjectCommand(brick))), "AccessDenied");
    assert.equal(
      await refusal(s3.send(new RestoreObjectCommand({ ...brick, RestoreRequest: { Days: 1 } }))),
      "AccessDenied",
    );
    assert.equal((await s3.send(new ListObjectsV2Command({ Bucket: "backups", Prefix: "bricks/a" }))).KeyCount, 1);
    assert.equal(await refusal(s3.send(new ListObjectsV2Command({ Bucket: "backups" }))), "AccessDenied");
    assert.deepEqual(new Set(emulator.requests.map(({ user }) => user)), new Set(["writer"]));
  }, { users: [writer] });
});

Deno.test("who may read but not list is told 403 of what is missing, and who may list 404", () => {
  const reader = {
    name: "reader",
    accessKeyId: "AKIAREADER",
    secretAccessKey: "reader's secret",
    policy: { Statement: { Effect: "Allow", Action: "s3:GetObject", Resource: "*" } } satisfies Policy,
  };
  return withEmulator(async ({ emulator, s3, s3Of }) => {
    emulator.createBucket("backups");
    const missing = { Bucket: "backups", Key: "missing" };
    assert.equal(await refusal(s3.send(new GetObjectCommand(missing))), "NoSuchKey");
    assert.equal(await refusal(s3Of(reader).send(new GetObjectCommand(missing))), "AccessDenied");
  }, { users: [reader] });
});

Deno.test("temporary keys need their token, and end when the clock says so", () => {
  const user = { name: "role", accessKeyId: "ASIAROLE", secretAccessKey: "role's secret", sessionToken: "token" };
  return withEmulator(async ({ emulator, s3Of }) => {
    emulator.createBucket("backups");
    const list = new ListObjectsV2Command({ Bucket: "backups" });
    await s3Of(user).send(list);
    assert.equal(await refusal(s3Of({ ...user, sessionToken: "other" }).send(list)), "InvalidToken");
    emulator.clock.advance(3_600_000);
    assert.equal(await refusal(s3Of(user).send(list)), "ExpiredToken");
  }, { users: [{ ...user, expiresAt: new Date("2026-03-01T11:00:00Z") }] });
});

Deno.test("a user of vaults may do what the policy says: upload here, and neither retrieve nor delete", () => {
  const arn = "arn:aws:glacier:us-east-1:123456789012:vaults/backups";
  const Action = [
    "glacier:UploadArchive",
    "glacier:*MultipartUpload",
    "glacier:UploadMultipartPart",
    "glacier:ListParts",
  ];
  const writer = {
    name: "writer",
    accessKeyId: "AKIAWRITER",
    secretAccessKey: "writer's secret",
    policy: { Statement: { Effect: "Allow", Action, Resource: arn } } satisfies Policy,
  };
  return withEmulator(async ({ emulator }) => {
    emulator.createVault("backups");
    emulator.createVault("others");
    const { endpoint, region } = emulator;
    const glacier = new Glacier.GlacierClient({ endpoint, region, credentials: writer, maxAttempts: 1 });
    const vault = { accountId: "-", vaultName: "backups" };
    const upload = (vaultName: string) =>
      glacier.send(new Glacier.UploadArchiveCommand({ ...vault, vaultName, body: "bytes" }));
    const { archiveId } = await upload("backups");
    const jobParameters = { Type: "archive-retrieval", ArchiveId: archiveId };
    assert.equal(await refusal(upload("others")), "AccessDeniedException");
    assert.equal(
      await refusal(glacier.send(new Glacier.InitiateJobCommand({ ...vault, jobParameters }))),
      "AccessDeniedException",
    );
    assert.equal(
      await refusal(glacier.send(new Glacier.DeleteArchiveCommand({ ...vault, archiveId }))),
      "AccessDeniedException",
    );
    glacier.destroy();
  }, { users: [writer] });
});
