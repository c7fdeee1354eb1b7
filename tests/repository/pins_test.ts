import assert from "node:assert/strict";
import { bundleHash, pinCode, WrongKeyError } from "../../lib/crypto/mod.ts";
import { checkPin } from "../../lib/repository/mod.ts";
import { inFolder } from "./machine.ts";

const OURS = { bundle: "our bundle", repository: "11".repeat(16), proved: true };
const SECOND = { ...OURS, bundle: "the list key of the same repository" };
const OTHER = { bundle: "their bundle", repository: "22".repeat(16), proved: true };
const codeOf = ({ bundle }: { bundle: string }) => pinCode(bundleHash(bundle));

/** Pins below a folder, for one place. */
function place(folder: string, location = "/srv/backup") {
  return { folder: `${folder}/config/pins`, location };
}

Deno.test("a key behind a passphrase is pinned at first contact, and known from then on", () =>
  inFolder(async (folder) => {
    await checkPin(OURS, place(folder));
    await checkPin({ ...OURS, proved: false }, place(folder));
  }));

Deno.test("a key that anybody can have sealed needs its code at first contact", () =>
  inFolder(async (folder) => {
    const stranger = { ...OURS, proved: false };
    await assert.rejects(checkPin(stranger, place(folder)), (error: Error) => {
      assert.ok(error instanceof WrongKeyError);
      assert.ok(error.message.includes(codeOf(OURS)), "the message shows the code to compare");
      return true;
    });
    await assert.rejects(checkPin(stranger, { ...place(folder), code: codeOf(OTHER) }), WrongKeyError);
    await assert.rejects(
      checkPin(stranger, { ...place(folder), confirm: () => Promise.resolve(false) }),
      WrongKeyError,
    );
    await checkPin(stranger, { ...place(folder), code: codeOf(OURS).toUpperCase().replaceAll("-", " ") });
    await checkPin(stranger, place(folder));
  }));

Deno.test("a typed yes to the code is as good, and the code that is shown is that of the key", () =>
  inFolder(async (folder) => {
    const asked: string[] = [];
    const confirm = (code: string) => {
      asked.push(code);
      return Promise.resolve(true);
    };
    await checkPin({ ...OURS, proved: false }, { ...place(folder), confirm });
    await checkPin({ ...OURS, proved: false }, { ...place(folder), confirm });
    assert.deepEqual(asked, [codeOf(OURS)], "only the first contact asks");
  }));

Deno.test("another repository in the same place is refused, whatever proves it", () =>
  inFolder(async (folder) => {
    await checkPin(OURS, place(folder));
    await assert.rejects(checkPin(OTHER, place(folder)), WrongKeyError);
    await assert.rejects(checkPin(OTHER, { ...place(folder), code: codeOf(OTHER) }), WrongKeyError);
    await checkPin(OTHER, place(folder, "/srv/elsewhere"));
  }));

Deno.test("a second key of a known repository needs a proof or a code of its own", () =>
  inFolder(async (folder) => {
    await checkPin(OURS, place(folder));
    await assert.rejects(checkPin({ ...SECOND, proved: false }, place(folder)), WrongKeyError);
    await checkPin({ ...SECOND, proved: false }, { ...place(folder), code: codeOf(SECOND) });
    await checkPin(SECOND, place(folder));
    await checkPin(OURS, place(folder));
  }));

Deno.test("a code that was given is held against keys that are known already", () =>
  inFolder(async (folder) => {
    await checkPin(OURS, place(folder));
    await assert.rejects(checkPin(OURS, { ...place(folder), code: codeOf(SECOND) }), WrongKeyError);
  }));

Deno.test("pins that cannot be read stop everything and say which file it is", () =>
  inFolder(async (folder) => {
    await checkPin(OURS, place(folder));
    const { folder: pins } = place(folder);
    const [file] = await Array.fromAsync(Deno.readDir(pins));
    for (const text of ['{"pins":[]}', '[{"location":1}]', "", "\0garbage"]) {
      await Deno.writeTextFile(`${pins}/${file!.name}`, text);
      await assert.rejects(checkPin(OURS, place(folder)), (error: Error) => {
        assert.ok(error instanceof WrongKeyError, `${text}: ${error}`);
        assert.ok(error.message.includes(file!.name));
        return true;
      });
    }
  }));

Deno.test({
  name: "pins are for nobody else to read",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      await checkPin(OURS, place(folder));
      const { folder: pins } = place(folder);
      const [file, ...more] = await Array.fromAsync(Deno.readDir(pins));
      assert.equal(more.length, 0, "no temporary file is left");
      assert.equal((await Deno.stat(pins)).mode! & 0o777, 0o700);
      assert.equal((await Deno.stat(`${pins}/${file!.name}`)).mode! & 0o777, 0o600);
    }),
});
