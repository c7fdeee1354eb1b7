import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { inWorkshop, makeTar } from "./workshop.ts";

const ignore = Deno.build.os === "windows";

Deno.test(
  "a backup comes back to the byte, in parts and unpacked, and can be checked and listed",
  { ignore },
  async (t) => {
    await inWorkshop(async ({ folder, repository, founding, tarzan, tarzanIn }) => {
      const tar = await makeTar(folder);
      const input = await Deno.readFile(tar);
      const index = `${folder}/backup.idx`;

      await t.step("create --init makes the repository and the backup", async () => {
        const { code, stdout, stderr } = await tarzan(
          ...["create", "--init", ...founding, "--label", "nightly", "--tag", "a", "--out", index, "--", "cat", tar],
        );
        assert.equal(code, 0, stderr);
        assert.match(stdout, /^snapshot +\d{8}T\d{6}Z-[0-9a-f]{8}\nentries +5\nread +1\.4 MiB\nnew +1\.4 MiB\n/);
        assert.match(stderr, /^TARzan recovery sheet[^]*BEGIN AGE ENCRYPTED FILE/);
        assert.equal((await Deno.stat(index)).isFile, true);
      });

      await t.step("the same again stores nothing new, and -q says nothing", async () => {
        const json = await tarzan("create", "--init", ...founding, "--json", "--", "cat", tar);
        const [object] = json.json();
        assert.deepEqual([object?.schema, object?.bytes, object?.newBytes], ["tarzan.create/1", input.length, 0]);
        assert.equal(json.stderr, "");
        assert.deepEqual(quietly(await tarzan("create", "-q", "--", "cat", tar)), [0, "", ""]);
      });

      await t.step("list shows the backups", async () => {
        const { stdout } = await tarzan("list");
        const lines = stdout.trimEnd().split("\n");
        assert.match(lines[0] ?? "", /^SNAPSHOT +CREATED/);
        assert.equal(lines.length, 4);
        assert.equal(lines.filter((line) => / nightly +a +5 +1\.4 MiB +complete$/.test(line)).length, 1);
        const objects = (await tarzan("list", "--json")).json();
        assert.deepEqual(
          objects.map(({ schema, complete }) => [schema, complete]),
          Array(3).fill(["tarzan.snapshot/1", true]),
        );
      });

      await t.step(
        "names of entries are kept on this machine, unless the option or the environment forbids it",
        async () => {
          const kept = async () => {
            for await (const { name } of Deno.readDir(`${folder}/home/.local/state/tarzan`)) {
              const path = `${folder}/home/.local/state/tarzan/${name}/entries.sqlite`;
              if (await Deno.stat(path).then(() => true, () => false)) return path;
            }
            return undefined;
          };
          const key = ["--identity", `${folder}/ann.key`];
          await tarzan("list", index, "--no-cache");
          await tarzan("extract", index, "etc/hosts", "--no-cache");
          await tarzanIn({ variables: { TARZAN_NO_CACHE: "1" } }, "list", index, ...key);
          assert.equal(await kept(), undefined);
          await tarzan("extract", index, "etc/hosts");
          await Deno.remove((await kept())!);
          await tarzan("list", index);
          assert.ok(await kept());
        },
      );

      await t.step("list shows the entries of one, safe to print", async () => {
        const names = "etc/\netc/conf.d/\netc/conf.d/\\x1b[2Jevil\netc/hosts\nnoise.bin\n";
        assert.deepEqual(sorted((await tarzan("list", index)).stdout), sorted(names));
        assert.match((await tarzan("list", index, "etc/hosts", "-l")).stdout, /^-rw\S+ \S+ +20 20\S+Z etc\/hosts\n$/);
        const [entry] = (await tarzan("list", "latest", "noise.bin", "--json")).json();
        assert.deepEqual([entry?.schema, entry?.bytes], ["tarzan.entry/1", 1_500_000]);
      });

      await t.step("extract gives the same bytes", async () => {
        const { code, stdoutBytes, stderr } = await tarzan("extract", index);
        assert.deepEqual([code, stderr], [0, ""]);
        assert.deepEqual(
          createHash("sha256").update(stdoutBytes).digest(),
          createHash("sha256").update(input).digest(),
        );
      });

      await t.step(
        "extract of a part is a tar of that part; with --json the object goes to standard error",
        async () => {
          const { stdoutBytes, stderr } = await tarzan("extract", "--in", index, "etc/h*", "--json");
          await Deno.writeFile(`${folder}/part.tar`, stdoutBytes);
          const listing = await new Deno.Command("tar", { args: ["-t", "-f", `${folder}/part.tar`] }).output();
          assert.equal(new TextDecoder().decode(listing.stdout), "etc/hosts\n");
          assert.equal(JSON.parse(stderr).schema, "tarzan.extract/1");
        },
      );

      await t.step("extract --to unpacks with the system's tar", async () => {
        const out = `${folder}/new/place`;
        const { code, stdout, stderr } = await tarzan("extract", index, "--to", out);
        assert.deepEqual([code, stdout], [0, ""], stderr);
        assert.match(stderr, /^Unpacked snapshot \S+ into .*\/new\/place \(1\.4 MiB\)\.\n$/);
        assert.equal(await Deno.readTextFile(`${out}/etc/hosts`), "127.0.0.1 localhost\n");
        const [object] = (await tarzan("extract", index, "etc", "--to", out, "--json")).json();
        assert.equal(object?.entries, 4);
      });

      await t.step("verify finds nothing, with and without reading everything", async () => {
        assert.match((await tarzan("verify")).stdout, /^ok: 3 snapshots, \d+ bricks; no problem found\n$/);
        const [object] = (await tarzan("verify", index, "--bricks", "--data", "--json")).json();
        assert.deepEqual([object?.sound, object?.snapshots, object?.bytesReplayed], [true, 1, input.length]);
        assert.deepEqual(quietly(await tarzan("verify", "-q")), [0, "", ""]);
      });

      await t.step("an index file finds its repository again on this machine", async () => {
        const nowhere = { variables: { TARZAN_REPOSITORY: "" } };
        const key = ["--identity", `${folder}/ann.key`];
        assert.equal((await tarzanIn(nowhere, "verify", index, ...key)).code, 0);
        assert.equal((await tarzanIn(nowhere, "verify", ...key)).code, 5);
      });

      await t.step("bricks and checksum agree about every brick", async () => {
        const { stdout } = await tarzan("bricks", index);
        const lines = stdout.trimEnd().split("\n").map((line) => line.split("  "));
        assert.ok(lines.length >= 2);
        for (const [sha256, object] of lines) {
          const bytes = await Deno.readFile(`${repository}/${object}`);
          assert.equal(createHash("sha256").update(bytes).digest("hex"), sha256);
        }
        const bricks = (await tarzan("bricks", index, "--json")).json();
        const paths = bricks.map(({ object }) => `${repository}/${object}`);
        const checksums = (await tarzanIn({}, "checksum", "--json", ...paths)).json();
        const facts = ({ sha256, treeHash, bytes }: Record<string, unknown>) => [sha256, treeHash, bytes];
        assert.deepEqual(checksums.map(facts), bricks.map(facts));
        const text = await tarzanIn({}, "checksum", ...paths);
        assert.match(text.stdout, /^([0-9a-f]{64} {2}){2}\d+ {2}\/.*\/repository\/\S+\n/);
      });

      await t.step("inspect, detach and rebuild tell what they did", async () => {
        assert.match((await tarzanIn({}, "inspect", index)).stdout, /^kind +tarzan index\n/);
        assert.equal((await tarzanIn({}, "inspect", index, "--json")).json()[0]?.kind, "tarzan index");
        const { stderr } = await tarzan("detach", index, "--out", `${folder}/listing.tar`);
        assert.match(stderr, /^Wrote 5 entries of snapshot \S+ to .*listing\.tar\.\n$/);
        const piped = await tarzan("detach", index, "--json");
        assert.deepEqual(piped.stdoutBytes, await Deno.readFile(`${folder}/listing.tar`));
        assert.equal(JSON.parse(piped.stderr).entries, 5);
        assert.equal((await tarzan("detach", index, "--out", `${folder}/listing.tar`, "--json")).json()[0]?.entries, 5);
        assert.match((await tarzan("rebuild")).stdout, /^domains +1\nbricks +\d+\nchunks +\d+\n$/);
        assert.deepEqual((await tarzan("rebuild", "--json")).json()[0]?.problems, []);
      });
    });
  },
);

function quietly({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) {
  return [code, stdout, stderr];
}

function sorted(lines: string): string[] {
  return lines.split("\n").sort();
}
