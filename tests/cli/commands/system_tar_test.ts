import assert from "node:assert/strict";
import { unpackWithTar } from "../../../lib/cli/commands/system_tar.ts";
import { InterruptedError } from "../../../lib/cli/errors.ts";

const posix = Deno.build.os !== "windows";
const piece = new Uint8Array(256 * 1024);

/** A folder, and in it a program called tar that is this shell script. */
async function withTar(script: string, use: (folder: string, environment: Record<string, string>) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/tar`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    await use(folder, { PATH: `${folder}:${Deno.env.get("PATH")}` });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("tar gets every byte, in the directory, which is made", { ignore: !posix }, async () => {
  await withTar('echo "$@" > "$(dirname "$0")/args"; cat > "$6/got"; exit 2', async (folder, environment) => {
    const directory = `${folder}/a/b`;
    const unpacked = await unpackWithTar({ directory, environment }, async (input) => {
      for (let i = 0; i < 8; i++) await input(piece);
      return "done";
    });
    assert.deepEqual(unpacked, { result: "done", code: 2 });
    assert.equal((await Deno.stat(`${directory}/got`)).size, 8 * piece.length);
    assert.equal(await Deno.readTextFile(`${folder}/args`), `-x -p -f - -C ${directory}\n`);
  });
});

Deno.test("a tar that stops reading and is content is no failure", { ignore: !posix }, async () => {
  await withTar("head -c 100 > /dev/null", async (directory, environment) => {
    const unpacked = await unpackWithTar({ directory, environment }, async (input) => {
      for (let i = 0; i < 8; i++) await input(piece);
      return 8;
    });
    assert.deepEqual(unpacked, { result: 8, code: 0 });
  });
});

Deno.test("a tar that dies ends the run at once, with its exit code or signal", { ignore: !posix }, async () => {
  const cases = [
    ["exit 2", Error, /tar ended with exit code 2 while it unpacked into /],
    ["kill -9 $$", Error, /tar was ended by SIGKILL/],
    ["kill -INT $$", InterruptedError, /Interrupted while tar/],
  ] as const;
  for (const [script, kind, sentence] of cases) {
    await withTar(script, async (directory, environment) => {
      let pieces = 0;
      const unpacking = unpackWithTar({ directory, environment }, async (input) => {
        for (; pieces < 1000; pieces++) await input(piece);
      });
      await assert.rejects(unpacking, (error: Error) => {
        assert.ok(error instanceof kind && sentence.test(error.message), String(error));
        return true;
      });
      assert.ok(pieces < 1000);
    });
  }
});

Deno.test("when reading the backup fails, tar still unpacks what it got", { ignore: !posix }, async () => {
  await withTar('cat > "$6/got"', async (directory, environment) => {
    const unpacking = unpackWithTar({ directory, environment }, async (input) => {
      await input(piece);
      throw new Error("brick 3f is damaged");
    });
    await assert.rejects(unpacking, /brick 3f is damaged/);
    assert.equal((await Deno.stat(`${directory}/got`)).size, piece.length);
  });
});

Deno.test("a tar that is given nothing before a failure has nothing to say of it", { ignore: !posix }, async () => {
  await withTar('cat > "$6/got"; touch "$6/ended"', async (directory, environment) => {
    const unpacking = unpackWithTar({ directory, environment }, () => Promise.reject(new Error("it sleeps")));
    await assert.rejects(unpacking, /it sleeps/);
    await assert.rejects(Deno.stat(`${directory}/ended`), Deno.errors.NotFound);
  });
});

Deno.test("without a tar on the machine the error says what else can be done", { ignore: !posix }, async () => {
  const directory = await Deno.makeTempDir();
  const unpacking = unpackWithTar({ directory, environment: { PATH: directory } }, () => assert.fail());
  await assert.rejects(unpacking, /Cannot run tar: .*leave out --to and pipe/);
  await Deno.remove(directory);
});
