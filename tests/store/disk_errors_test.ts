import assert from "node:assert/strict";
import { readFailure, writeFailure } from "../../lib/store/disk_errors.ts";
import { writeWhole } from "../../lib/store/durable.ts";
import { ExistsError, NotFoundError, StoreFullError, StoreReadOnlyError } from "../../lib/store/mod.ts";

function systemError(code: string): Error {
  return Object.assign(new Error(`${code} from the system`), { code });
}

const meanings: [string, new (text: string) => Error][] = [
  ["ENOSPC", StoreFullError],
  ["EDQUOT", StoreFullError],
  ["EROFS", StoreReadOnlyError],
  ["EACCES", StoreReadOnlyError],
  ["EPERM", StoreReadOnlyError],
  ["ENOENT", NotFoundError],
  ["EIO", Error],
];

for (const [code, meaning] of meanings) {
  Deno.test(`${code} on writing becomes ${meaning.name} and says what was being done, with its cause`, () => {
    const cause = systemError(code);
    const failure = writeFailure(cause, "write /srv/backup/a");
    assert.equal(failure.constructor, meaning);
    assert.match(failure.message, /^Cannot write \/srv\/backup\/a: /);
    assert.equal(failure.cause, cause);
  });
}

Deno.test("a permission that is missing for reading says nothing about writing", () => {
  assert.equal(readFailure(systemError("EACCES"), "read a").constructor, Error);
});

Deno.test("an error that is explained already stays as it is", () => {
  for (
    const error of [new ExistsError("a"), new NotFoundError("b"), new StoreFullError("c"), new StoreReadOnlyError("d")]
  ) {
    assert.equal(writeFailure(error, "write"), error);
  }
});

Deno.test({
  name: "a disk that is really full says so",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using file = await Deno.open("/dev/full", { write: true });
    const error = await writeWhole(file, new Uint8Array(10)).catch((error: unknown) => writeFailure(error, "write a"));
    assert.ok(error instanceof StoreFullError);
    assert.match(error.message, /full .*Free space/);
  },
});
