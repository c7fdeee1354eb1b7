import assert from "node:assert/strict";
import { addSlot, openFirstSlot } from "../../../lib/repository/mod.ts";
import { openDirectoryStore } from "../../../lib/store/mod.ts";
import { inWorkshop, makeTar } from "./workshop.ts";

const ignore = Deno.build.os === "windows";

Deno.test(
  "a passphrase that create --init generates is shown once, and the backup goes on with it",
  { ignore },
  async () => {
    await inWorkshop(async ({ folder, tarzanIn }) => {
      const tar = await makeTar(folder);
      const { code, stdout, stderr } = await tarzanIn(
        {},
        "create",
        "--init",
        "--generate-passphrase",
        "--",
        "cat",
        tar,
      );
      assert.equal(code, 0, stderr);
      const [, passphrase = ""] = /shown only this once.*\n\n {4}(\S+)\n/.exec(stderr) ?? [];
      assert.match(passphrase, /^([a-z]+-){9}[a-z]+$/);
      assert.equal(stderr.split(passphrase).length, 2);
      assert.ok(!stdout.includes(passphrase));
      assert.match(stdout, /^snapshot /);
    });
  },
);

Deno.test("a passphrase is changed, and it is said that this revokes nothing", { ignore }, async () => {
  await inWorkshop(async ({ folder, repository, founding, tarzan, tarzanIn }) => {
    await tarzan("init", ...founding);
    await addCheapSlot(repository, { identity: await Deno.readTextFile(`${folder}/ann.key`), passphrase: "old" });
    await Deno.writeTextFile(`${folder}/new`, "quite another\n", { mode: 0o600 });
    const changed = await tarzanIn(
      { variables: { TARZAN_PASSPHRASE: "old" } },
      ...["key", "passwd", "--new-passphrase-file", `${folder}/new`, "--json"],
    );
    assert.equal(changed.code, 0, changed.stderr);
    const [object] = changed.json();
    assert.deepEqual([object?.schema, object?.passphrase], ["tarzan.key-passwd/1", undefined]);
    assert.match(JSON.parse(changed.stderr).message, /revokes nothing/);
  });
});

/** A slot for a passphrase that costs no second to open. */
async function addCheapSlot(repository: string, { identity, passphrase }: { identity: string; passphrase: string }) {
  const store = await openDirectoryStore(repository);
  const { bundle } = await openFirstSlot(store, {
    keys: { identities: [identity], passphrase: () => assert.fail() },
    accept: () => Promise.resolve(true),
  });
  await addSlot(store, { bundle, label: "cheap", to: { passphrase, workFactor: 4 } });
  await store.close();
}

Deno.test("keys are added, listed, shown and removed, as text and as JSON", { ignore }, async () => {
  await inWorkshop(async ({ folder, repository, founding, stranger, tarzan, tarzanIn }) => {
    const made = await tarzan("init", ...founding);
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /^TARzan recovery sheet/);
    const forStranger = ["--no-passphrase", "--recipient", stranger];

    const file = `${folder}/web.key`;
    const write = await tarzan("key", "add", "--role", "write", "--label", "web", "--out", file);
    assert.equal(write.code, 0, write.stderr);
    assert.match(write.stdout, /^role +write\ndomain +web-\w+\nfile +.*web\.key\ncode +\w{4}-/);
    const [list] = (await tarzan("key", "add", "--role", "list", "--label", "bob", ...forStranger, "--json")).json();
    assert.deepEqual([list?.role, (list?.slots as string[]).length], ["list", 1]);

    const slots = (await tarzanIn({}, "key", "list", "--json")).json();
    assert.deepEqual(slots.map(({ label }) => label).sort(), ["bob", "recipients"]);
    assert.match(
      (await tarzanIn({}, "key", "list")).stdout,
      /^SLOT [^]*\nkeys\/bob-\w{16}\.age +bob +yes +recipients: /,
    );

    const tar = await makeTar(folder);
    const unattended = await tarzanIn({}, "create", "-q", "--identity", file, "--", "cat", tar);
    assert.deepEqual([unattended.code, unattended.stderr], [0, ""]);
    assert.equal((await tarzanIn({}, "extract", "--identity", file)).code, 6);

    assert.match((await tarzan("key", "show")).stdout, /^TARzan recovery sheet/);
    assert.equal((await tarzan("key", "show", "--json")).json()[0]?.schema, "tarzan.key-show/1");
    const removed = await tarzan("key", "remove", "bob");
    assert.match(removed.stdout, /^Removed keys\/bob-\w{16}\.age\.\n$/);
    assert.match(removed.stderr, /revokes nothing/);
    const [second] = (await tarzan("key", "add", "--role", "full", "--label", "eve", ...forStranger, "--json")).json();
    const [slot] = second?.slots as string[];
    assert.equal((await tarzan("key", "remove", slot!, "--json")).json()[0]?.removed, slot);
    assert.equal((await tarzan("key", "remove", "recipients")).code, 6, "the slot that opened it is the last one");
    assert.equal([...Deno.readDirSync(`${repository}/keys`)].length, 1);
  });
});

const mistakes: [line: string, sentence: RegExp][] = [
  ["--role list --domain web", /--domain is for a write key; a list key is for all domains/],
  ["--role write --generate-passphrase", /A write key has no passphrase/],
  ["--role write --new-passphrase-file x", /A write key has no passphrase/],
  ["--role write --domain Web", /"Web" cannot be a --domain: take 1 to 32 of a-z, 0-9/],
  ["--role full --label ../x", /"\.\.\/x" cannot be a --label/],
];

Deno.test("options of key add that would have no effect, or cannot be, are usage errors", async () => {
  await inWorkshop(async ({ tarzanIn }) => {
    for (const [line, sentence] of mistakes) {
      const { code, stderr } = await tarzanIn({}, "key", "add", ...line.split(" "));
      assert.equal(code, 2, line);
      assert.match(stderr, sentence);
    }
  });
});
