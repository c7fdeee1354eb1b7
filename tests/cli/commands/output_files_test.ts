import assert from "node:assert/strict";
import { writeToFile } from "../../../lib/cli/commands/file_output.ts";
import { LineWriter } from "../../../lib/cli/commands/line_writer.ts";

const encode = (text: string) => new TextEncoder().encode(text);

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a file appears under its name when it is whole, and replaces an old one", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/listing.tar`;
    await Deno.writeTextFile(path, "a longer text that was there");
    const result = await writeToFile(path, async (output) => {
      await output(encode("one "));
      assert.equal(await Deno.readTextFile(path), "a longer text that was there");
      await output(encode("two"));
      return 7;
    });
    assert.equal(result, 7);
    assert.equal(await Deno.readTextFile(path), "one two");
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["listing.tar"]);
  });
});

Deno.test("a file that could not be finished leaves nothing behind", async () => {
  await inFolder(async (folder) => {
    const failing = writeToFile(`${folder}/x`, async (output) => {
      await output(encode("half"));
      throw new Error("the brick is damaged");
    });
    await assert.rejects(failing, /the brick is damaged/);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
    await assert.rejects(writeToFile(`${folder}/no/x`, () => assert.fail()), /Cannot write .*no\/x\.new: /);
  });
});

Deno.test("a device is written to and not replaced", { ignore: Deno.build.os === "windows" }, async () => {
  await writeToFile("/dev/null", (output) => output(encode("x")));
  assert.equal((await Deno.stat("/dev/null")).isCharDevice, true);
});

Deno.test("lines are written in large pieces, and none is lost", async () => {
  const pieces: number[] = [];
  let text = "";
  const writer = new LineWriter({
    write(bytes) {
      pieces.push(bytes.length);
      text += new TextDecoder().decode(bytes);
      return Promise.resolve();
    },
  });
  let expected = "";
  for (let i = 0; i < 100_000; i++) {
    expected += `entry ${i}\n`;
    await writer.add(`entry ${i}\n`);
  }
  await writer.flush();
  await writer.flush();
  assert.ok(text === expected);
  assert.ok(pieces.length < 10, `${pieces.length} writes`);
});
