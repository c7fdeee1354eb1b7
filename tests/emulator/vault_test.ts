/** Vaults: archives, uploads in parts, and what is refused; through Amazon's own client, and by hand where that cannot err. */
import * as Glacier from "@aws-sdk/client-glacier";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { Emulator } from "./mod.ts";
import { refusal, send, someBytes, withEmulator } from "./scene.ts";
import { LeafHasher, treeHash } from "./vault/tree_hash.ts";

const mebibyte = 1024 ** 2;
const [hour, day] = [3_600_000, 86_400_000];
const vault = { accountId: "-", vaultName: "backups" };

function treeHashOf(bytes: Uint8Array): string {
  const hasher = new LeafHasher();
  hasher.update(bytes);
  return treeHash(hasher.end().leaves);
}

/** Requests by hand about one upload. */
async function uploadByHand(emulator: Emulator, partSize: number) {
  const target = "/-/vaults/backups/multipart-uploads";
  const begun = await send(emulator, {
    ...{ method: "POST", target, service: "glacier" },
    headers: { "x-amz-part-size": String(partSize), "x-amz-archive-description": "by hand" },
  });
  const id = begun.headers.get("x-amz-multipart-upload-id")!;
  const told = (answer: { status: number; text: string }) =>
    answer.status < 300 ? String(answer.status) : `${answer.status} ${JSON.parse(answer.text).code}`;
  return {
    id,
    part: async (
      from: number,
      body: Uint8Array<ArrayBuffer>,
      more: { headers?: Record<string, string>; to?: number } = {},
    ) =>
      told(
        await send(emulator, {
          ...{ method: "PUT", target: `${target}/${id}`, service: "glacier", body },
          headers: {
            "content-range": `bytes ${from}-${more.to ?? from + body.length - 1}/*`,
            "x-amz-sha256-tree-hash": treeHashOf(body),
            ...more.headers,
          },
        }),
      ),
    complete: async (size: number, hash: string) => {
      const headers = { "x-amz-archive-size": String(size), "x-amz-sha256-tree-hash": hash };
      const answer = await send(emulator, { method: "POST", target: `${target}/${id}`, service: "glacier", headers });
      return answer.headers.get("x-amz-archive-id") ?? told(answer);
    },
    abort: async () => told(await send(emulator, { method: "DELETE", target: `${target}/${id}`, service: "glacier" })),
    parts: async (query = "") => {
      const answer = await send(emulator, { method: "GET", target: `${target}/${id}${query}`, service: "glacier" });
      return answer.status === 200 ? JSON.parse(answer.text) : told(answer);
    },
  };
}

Deno.test("Amazon's client uploads a file whole and in parts, with its own hashes", async () => {
  const path = await Deno.makeTempFile();
  const bytes = someBytes(2 * mebibyte + 77);
  await Deno.writeFile(path, bytes);
  await withEmulator(async ({ glacier }) => {
    await glacier.send(new Glacier.CreateVaultCommand(vault));
    const whole = await glacier.send(
      new Glacier.UploadArchiveCommand({ ...vault, archiveDescription: "a brick", body: createReadStream(path) }),
    );
    assert.equal(whole.archiveId?.length, 138);
    assert.equal(whole.checksum, treeHashOf(bytes));
    const begun = await glacier.send(
      new Glacier.InitiateMultipartUploadCommand({
        ...vault,
        partSize: String(mebibyte),
        archiveDescription: "  in parts",
      }),
    );
    const upload = { ...vault, uploadId: begun.uploadId };
    for (const from of [2 * mebibyte, 0, mebibyte]) {
      const end = Math.min(from + mebibyte, bytes.length) - 1;
      const part = bytes.subarray(from, end + 1);
      const sent = await glacier.send(
        new Glacier.UploadMultipartPartCommand({ ...upload, range: `bytes ${from}-${end}/*`, body: part }),
      );
      assert.equal(sent.checksum, treeHashOf(part));
    }
    const listed = await glacier.send(new Glacier.ListPartsCommand(upload));
    assert.deepEqual(listed.Parts?.map(({ RangeInBytes }) => RangeInBytes), [
      "0-1048575",
      "1048576-2097151",
      "2097152-2097228",
    ]);
    assert.deepEqual([listed.ArchiveDescription, listed.PartSizeInBytes, listed.Marker ?? null], [
      "in parts",
      mebibyte,
      null,
    ]);
    const uploads = await glacier.send(new Glacier.ListMultipartUploadsCommand(vault));
    assert.deepEqual(uploads.UploadsList?.map(({ MultipartUploadId }) => MultipartUploadId), [begun.uploadId]);
    const end = { ...upload, archiveSize: String(bytes.length), checksum: treeHashOf(bytes) };
    const done = await glacier.send(new Glacier.CompleteMultipartUploadCommand(end));
    assert.notEqual(done.archiveId, whole.archiveId);
    assert.equal((await glacier.send(new Glacier.CompleteMultipartUploadCommand(end))).archiveId, done.archiveId);
    assert.equal(await refusal(glacier.send(new Glacier.ListPartsCommand(upload))), "ResourceNotFoundException");
    assert.equal(
      await refusal(glacier.send(new Glacier.AbortMultipartUploadCommand(upload))),
      "ResourceNotFoundException",
    );
    await glacier.send(new Glacier.DeleteArchiveCommand({ ...vault, archiveId: done.archiveId }));
    await glacier.send(new Glacier.DeleteArchiveCommand({ ...vault, archiveId: done.archiveId }));
    assert.equal(
      await refusal(glacier.send(new Glacier.DeleteArchiveCommand({ ...vault, archiveId: "none" }))),
      "ResourceNotFoundException",
    );
  });
  await Deno.remove(path);
});

Deno.test("a part size is a power of two of MiB, up to 4 GiB, and a description is printable ASCII", () =>
  withEmulator(async ({ emulator }) => {
    emulator.createVault("backups");
    const begin = async (size: string, description = "d") => {
      const headers = { "x-amz-part-size": size, "x-amz-archive-description": description };
      const target = "/-/vaults/backups/multipart-uploads";
      return (await send(emulator, { method: "POST", target, service: "glacier", headers })).status;
    };
    for (const mebibytes of [1, 2, 64, 4096]) assert.equal(await begin(String(mebibytes * mebibyte)), 201);
    for (const size of [0, 1, mebibyte - 1, 3 * mebibyte, 1.5 * mebibyte, 8192 * mebibyte]) {
      assert.equal(await begin(String(size)), 400, `${size}`);
    }
    assert.equal(await begin("1e6"), 400);
    assert.equal(await begin(String(mebibyte), "x".repeat(1024)), 201);
    assert.equal(await begin(String(mebibyte), "x".repeat(1025)), 400);
    assert.equal(await begin(String(mebibyte), "caf\u00e9"), 400);
  }));

Deno.test("a part must be where it says, as long as it says, and hash to what it says", () =>
  withEmulator(async ({ emulator }) => {
    emulator.createVault("backups");
    const upload = await uploadByHand(emulator, 2 * mebibyte);
    const [part, invalid] = [someBytes(2 * mebibyte), "400 InvalidParameterValueException"];
    assert.equal(await upload.part(0, part), "204");
    assert.equal(await upload.part(0, part), "204", "the same again");
    assert.equal(await upload.part(mebibyte, part), invalid, "not at a part's beginning");
    assert.equal(await upload.part(2 * mebibyte, someBytes(2 * mebibyte + 1)), invalid, "longer than a part");
    assert.equal(await upload.part(2 * mebibyte, part, { to: 3 * mebibyte }), invalid, "another length than the range");
    assert.equal(await upload.part(20_000 * mebibyte, part), invalid, "the 10,001st");
    const wrong = { headers: { "x-amz-sha256-tree-hash": createHash("sha256").update(part).digest("hex") } };
    assert.equal(await upload.part(2 * mebibyte, part, wrong), invalid, "the linear hash is not the tree hash");
    assert.equal(await upload.part(2 * mebibyte, part, { headers: { "content-range": "0-100" } }), invalid);
    assert.deepEqual((await upload.parts()).Parts.length, 1);
    assert.deepEqual(
      emulator.requests.filter(({ operation, status }) => operation === "UploadMultipartPart" && status === 204)
        .map(({ range, confirmed, id }) => [range, confirmed, id === upload.id]),
      [["0-2097151", true, true], ["0-2097151", true, true]],
    );
  }));

Deno.test("the end is refused while parts are missing, short or different, and the upload stays open", () =>
  withEmulator(async ({ emulator }) => {
    emulator.createVault("backups");
    const upload = await uploadByHand(emulator, mebibyte);
    const bytes = someBytes(2 * mebibyte + 5);
    const hash = treeHashOf(bytes);
    const invalid = "400 InvalidParameterValueException";
    assert.equal(await upload.complete(bytes.length, hash), invalid, "nothing is there");
    assert.equal(await upload.part(2 * mebibyte, bytes.slice(2 * mebibyte)), "204");
    assert.equal(await upload.part(0, bytes.slice(0, 1000)), "204", "a short one that is not the last is taken");
    assert.equal(await upload.complete(bytes.length, hash), invalid, "one is missing");
    assert.equal(await upload.part(mebibyte, bytes.slice(mebibyte, 2 * mebibyte)), "204");
    assert.equal(await upload.complete(bytes.length, hash), invalid, "the first is short");
    assert.equal(await upload.part(0, bytes.slice(0, mebibyte)), "204");
    assert.equal(await upload.complete(bytes.length - 1, hash), invalid, "another size");
    assert.equal(await upload.complete(bytes.length, treeHashOf(bytes.slice(1))), invalid, "another hash");
    const id = await upload.complete(bytes.length, hash);
    assert.equal(id.length, 138);
    emulator.clock.advance(9 * 60_000);
    assert.equal(await upload.complete(bytes.length, hash), id, "for a while it may be repeated");
    emulator.clock.advance(2 * 60_000);
    assert.equal(await upload.complete(bytes.length, hash), "404 ResourceNotFoundException");
  }));

Deno.test("an upload that no part comes for is forgotten after a day", () =>
  withEmulator(async ({ emulator }) => {
    emulator.createVault("backups");
    const upload = await uploadByHand(emulator, mebibyte);
    emulator.clock.advance(23 * hour);
    assert.equal(await upload.part(0, someBytes(mebibyte)), "204");
    emulator.clock.advance(day - 1);
    assert.equal((await upload.parts()).Parts.length, 1);
    emulator.clock.advance(1);
    assert.equal(await upload.parts(), "404 ResourceNotFoundException");
    assert.equal(await upload.part(0, someBytes(mebibyte)), "404 ResourceNotFoundException");
    const other = await uploadByHand(emulator, mebibyte);
    assert.equal(await other.abort(), "204");
    assert.equal(await other.abort(), "204", "again, for a while");
    assert.equal(await other.parts(), "404 ResourceNotFoundException");
  }));

Deno.test("a hostile vault tells no hashes, and says of a part that it came when it was thrown away", () =>
  withEmulator(async ({ emulator }) => {
    emulator.createVault("backups");
    const upload = await uploadByHand(emulator, mebibyte);
    emulator.hostile.add("loses-checksum");
    assert.equal(await upload.part(0, someBytes(mebibyte)), "204");
    assert.equal((await upload.parts()).Parts[0].SHA256TreeHash, null);
    emulator.hostile.add("does-nothing");
    assert.equal(await upload.part(mebibyte, someBytes(5)), "204");
    assert.equal((await upload.parts()).Parts.length, 1);
  }));

Deno.test("lists come in pages of fifty at most, and end with no marker", () =>
  withEmulator(async ({ emulator }) => {
    emulator.createVault("backups");
    const upload = await uploadByHand(emulator, mebibyte);
    // Short parts are taken: the list does not care.
    for (let part = 0; part < 53; part++) assert.equal(await upload.part(part * mebibyte, someBytes(3)), "204");
    const first = await upload.parts();
    assert.deepEqual([first.Parts.length, typeof first.Marker], [50, "string"]);
    const rest = await upload.parts(`?marker=${encodeURIComponent(first.Marker)}`);
    assert.deepEqual([rest.Parts.length, rest.Marker], [3, null]);
    assert.equal(rest.Parts[0].RangeInBytes, `${50 * mebibyte}-${50 * mebibyte + 2}`);
    assert.equal((await upload.parts("?limit=1000")).Parts.length, 50);
    assert.equal((await upload.parts("?limit=2")).Parts.length, 2);
    assert.equal(await upload.parts("?marker=nonsense"), "400 InvalidParameterValueException");
    assert.equal(await upload.parts("?limit=0"), "400 InvalidParameterValueException");
  }));

Deno.test("an archive has at least one byte, a length, and both hashes", () =>
  withEmulator(async ({ emulator }) => {
    emulator.createVault("backups");
    const target = "/-/vaults/backups/archives";
    const post = async (body: Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
      (await send(emulator, { method: "POST", target, service: "glacier", body, headers })).text.match(/"code":"(\w+)"/)
        ?.[1];
    const body = someBytes(10);
    assert.equal(await post(body, { "x-amz-sha256-tree-hash": treeHashOf(body) }), undefined);
    assert.equal(await post(body, {}), "MissingParameterValueException");
    assert.equal(
      await post(new Uint8Array(), { "x-amz-sha256-tree-hash": treeHash([]) }),
      "InvalidParameterValueException",
    );
    const missing = { method: "POST", target: "/-/vaults/none/archives", service: "glacier", body } as const;
    assert.match(
      (await send(emulator, missing)).text,
      /^\{"code":"ResourceNotFoundException","message":".*","type":"Client"\}$/,
    );
  }));

Deno.test("vaults are made, described as of their last inventory, listed, and removed when empty", () =>
  withEmulator(async ({ emulator, glacier }) => {
    const { clock } = emulator;
    await glacier.send(new Glacier.CreateVaultCommand(vault));
    await glacier.send(new Glacier.CreateVaultCommand(vault));
    const describe = async () => {
      const { NumberOfArchives, LastInventoryDate } = await glacier.send(new Glacier.DescribeVaultCommand(vault));
      return [NumberOfArchives ?? null, LastInventoryDate ?? null];
    };
    assert.deepEqual(await describe(), [null, null]);
    const { archiveId } = await glacier.send(new Glacier.UploadArchiveCommand({ ...vault, body: someBytes(100) }));
    assert.deepEqual(await describe(), [null, null]);
    clock.advance(day);
    assert.deepEqual(await describe(), [1, "2026-03-02T10:00:00.000Z"]);
    const remove = () => glacier.send(new Glacier.DeleteVaultCommand(vault));
    assert.equal(await refusal(remove()), "InvalidParameterValueException");
    clock.advance(hour);
    await glacier.send(new Glacier.DeleteArchiveCommand({ ...vault, archiveId }));
    assert.deepEqual(await describe(), [1, "2026-03-02T10:00:00.000Z"], "what is gone is still counted");
    assert.equal(await refusal(remove()), "InvalidParameterValueException");
    clock.advance(day);
    assert.deepEqual(await describe(), [0, "2026-03-03T10:00:00.000Z"]);
    clock.advance(5 * day);
    assert.deepEqual(await describe(), [0, "2026-03-03T10:00:00.000Z"], "without changes there is no new one");
    assert.equal((await glacier.send(new Glacier.ListVaultsCommand({ accountId: "-" }))).VaultList?.length, 1);
    await remove();
    await remove();
    assert.equal(await refusal(describe()), "ResourceNotFoundException");
    const strange = new Glacier.CreateVaultCommand({ accountId: "-", vaultName: "not+allowed" });
    assert.equal(await refusal(glacier.send(strange)), "InvalidParameterValueException");
  }));
