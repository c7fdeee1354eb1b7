import assert from "node:assert/strict";
import { inWorkshop, makeTar, type Workshop } from "./workshop.ts";

const ignore = Deno.build.os === "windows";

/** A workshop whose repository holds one backup. */
async function withBackup(use: (workshop: Workshop, tar: string) => Promise<void>): Promise<void> {
  await inWorkshop(async (workshop) => {
    const tar = await makeTar(workshop.folder);
    const { code, stderr } = await workshop.tarzan("create", "-q", "--init", ...workshop.founding, "--", "cat", tar);
    assert.equal(code, 0, stderr);
    await use(workshop, tar);
  });
}

Deno.test(
  "a program that fails, or a tar that is cut, makes an incomplete backup and exit code 3",
  { ignore },
  async () => {
    await withBackup(async ({ folder, tarzan }, tar) => {
      const failed = await tarzan("create", "--", "sh", "-c", `cat '${tar}'; exit 2`);
      assert.equal(failed.code, 3);
      assert.match(failed.stdout, /\nincomplete +sh ended with exit code 2\n$/);
      assert.match(failed.stderr, /^tarzan: warning: The input was incomplete \(sh ended with exit code 2\)\. /);
      const cut = await tarzan("create", "--json", "--", "head", "-c", "500000", tar);
      assert.equal(cut.code, 3);
      const [object] = cut.json();
      assert.equal(object?.complete, false);
      assert.equal(JSON.parse(cut.stderr).schema, "tarzan.warning/1");
      const list = (await tarzan("list")).stdout;
      for (
        const state of ["complete", "incomplete: sh ended with exit code 2", "incomplete: it ends inside the body"]
      ) {
        assert.ok(list.includes(`  ${state}`), list);
      }

      const snapshot = String(object?.snapshot);
      const whole = await tarzan("extract", snapshot);
      assert.deepEqual([whole.code, whole.stdoutBytes.length], [3, 500_000]);
      assert.match(whole.stderr, /^tarzan: warning: Snapshot \S+ is incomplete /);
      const unpacked = await tarzan("extract", snapshot, "--to", `${folder}/out`);
      assert.equal(unpacked.code, 3, unpacked.stderr);
      assert.equal(await Deno.readTextFile(`${folder}/out/etc/hosts`), "127.0.0.1 localhost\n");
    });
  },
);

Deno.test("an empty input stores nothing and exits with 3", { ignore }, async () => {
  await withBackup(async ({ tarzan }) => {
    const { code, stdout, stderr } = await tarzan("create", "--", "true");
    assert.deepEqual([code, stdout], [3, ""]);
    assert.match(stderr, /^tarzan: The input was empty/);
  });
});

Deno.test("damage is exit code 4, and verify says which brick and which files", { ignore }, async () => {
  await withBackup(async ({ repository, tarzan, tarzanIn }) => {
    const bricks = (await tarzan("bricks", "--json")).json();
    const object = String(bricks.find(({ kind }) => kind === "data")?.object);
    const path = `${repository}/${object}`;
    await Deno.chmod(path, 0o600);
    const bytes = await Deno.readFile(path);
    bytes[bytes.length >> 1]! ^= 1;
    await Deno.writeFile(path, bytes);
    const name = object.split("/").at(-1);

    const keyless = await tarzanIn({}, "verify", "--bricks");
    assert.equal(keyless.code, 4);
    assert.match(keyless.stdout, new RegExp(`^damaged brick: .*${name}.*\nnot checked: [^]*\ndamaged: 1 problem, `));
    const [keylessObject] = (await tarzanIn({}, "verify", "--bricks", "--json")).json();
    assert.deepEqual([keylessObject?.sound, keylessObject?.snapshots], [false, 0]);

    const found = await tarzan("verify", "--bricks");
    assert.equal(found.code, 4);
    assert.match(found.stdout, /\nsnapshot \S+: damage touches \d+ entr[^]*\n {2}noise\.bin\n[^]*damaged: /);

    await Deno.remove(path);
    const missing = await tarzan("verify", "-q", "--json");
    assert.equal(missing.code, 4);
    assert.equal(missing.json()[0]?.sound, false);
    assert.equal((await tarzan("extract")).code, 4);
  });
});

Deno.test("who presses Enter at the question for a passphrase checks bricks without a key", { ignore }, async () => {
  await withBackup(async ({ tarzanIn }) => {
    const questions: string[] = [];
    const readLine = (question: string) => {
      questions.push(question);
      return Promise.resolve("");
    };
    const asked = await tarzanIn(
      { environment: (usual) => ({ ...usual, terminal: () => ({ readLine }) }) },
      "verify",
      "--bricks",
    );
    assert.equal(asked.code, 0, asked.stderr);
    assert.match(asked.stdout, /^not checked: Without a key, [^]*\nok: \d+ bricks, \d+ bricks hashed; /);
    assert.deepEqual(questions, ["Passphrase (Enter alone: check only what needs no key): "]);
  });
});

Deno.test("a tar is neither read from a terminal nor written to one", async () => {
  await inWorkshop(async ({ founding, repository, tarzan, tarzanIn }) => {
    const environment = (usual: Parameters<typeof tarzanIn>[0]["environment"]) => ({ environment: usual! });
    const atInput = environment((usual) => ({ ...usual, stdin: { ...usual.stdin, isTerminal: () => true } }));
    const refused = await tarzanIn(atInput, "create", "--init", ...founding);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /Standard input is a terminal, not a tar.*tarzan create -- tar c DIR/);
    await assert.rejects(Deno.stat(repository), Deno.errors.NotFound);
    const atOutput = environment((usual) => ({ ...usual, stdout: { ...usual.stdout, isTerminal: () => true } }));
    for (const command of ["extract", "detach"]) {
      const { code, stderr } = await tarzanIn(atOutput, command);
      assert.equal(code, 2);
      assert.match(stderr, /Standard output is a terminal/);
    }
    assert.equal((await tarzan("extract")).code, 5);
  });
});

Deno.test(
  "create --init makes no repository that it could not open, nor where something else is",
  { ignore },
  async () => {
    await inWorkshop(async ({ folder, founding, repository, tarzan, tarzanIn }) => {
      const { code, stderr } = await tarzanIn({}, "create", "--init", ...founding, "--", "true");
      assert.equal(code, 2);
      assert.match(stderr, /With --no-passphrase only the recipients can open .*--identity/);
      await assert.rejects(Deno.stat(repository), Deno.errors.NotFound);
      const occupied = await tarzan("create", "-d", folder, "--init", ...founding, "--", "true");
      assert.equal(occupied.code, 1);
      assert.match(occupied.stderr, /it is not empty/);
    });
  },
);

Deno.test("an empty directory becomes a repository, and an empty repository lists nothing", { ignore }, async () => {
  await inWorkshop(async ({ repository, founding, tarzan }) => {
    await Deno.mkdir(repository);
    const { code, stdout, stderr } = await tarzan("init", ...founding, "--json");
    assert.equal(code, 0, stderr);
    const object = JSON.parse(stdout);
    assert.deepEqual([object.schema, object.location, object.passphrase], ["tarzan.init/1", repository, undefined]);
    const list = await tarzan("list");
    assert.deepEqual([list.code, list.stdout], [0, ""]);
    assert.match(list.stderr, /^There are no backups in .*\/repository yet\.\n$/);
    assert.equal((await tarzan("extract")).code, 1);
  });
});

Deno.test("whoever stops reading an extract is exit code 141 and no message", { ignore }, async () => {
  await withBackup(async ({ folder, tarzanIn }) => {
    const write = () => Promise.reject(new Deno.errors.BrokenPipe("os error 32"));
    const deaf = {
      environment: (usual: Parameters<NonNullable<Parameters<typeof tarzanIn>[0]["environment"]>>[0]) => ({
        ...usual,
        stdout: { ...usual.stdout, write },
      }),
    };
    const { code, stderr } = await tarzanIn(deaf, "extract", "--identity", `${folder}/ann.key`);
    assert.deepEqual([code, stderr], [141, ""]);
  });
});

Deno.test("repeatable randomness is refused before anything is written", async () => {
  await inWorkshop(async ({ folder, founding, repository }) => {
    const main = new URL("../../../main.ts", import.meta.url).pathname;
    for (const words of [["init", ...founding], ["create", "--init", ...founding, "--", "true"]]) {
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--seed=7", "--allow-all", main, ...words],
        env: { TARZAN_REPOSITORY: repository, TARZAN_STATE_DIR: folder, TARZAN_CONFIG_DIR: folder },
      }).output();
      assert.equal(code, 1);
      assert.match(new TextDecoder().decode(stderr), /Refusing to work with repeatable randomness/);
    }
    await assert.rejects(Deno.stat(repository), Deno.errors.NotFound);
  });
});
