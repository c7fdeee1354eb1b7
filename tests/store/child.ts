import { createHash } from "node:crypto";
import { openDirectoryStore } from "../../lib/store/mod.ts";

/**
 * Another process for the tests of directories, which can be killed. Its first argument says what to do with the
 * repository in its second; each line that it prints says that something is done.
 */
const [what = "", path = "", seed = "0"] = Deno.args;

async function writeForEver(): Promise<void> {
  const store = await openDirectoryStore(path);
  for (let i = 0;; i++) {
    const bytes = new TextEncoder().encode(`${seed} ${i} `.repeat(20_000));
    const name = `bricks/${createHash("sha256").update(bytes).digest("hex")}`;
    if (i % 3 === 0) await store.put(name, bytes);
    else if (i % 3 === 1) await store.put(name, bytes, { once: true });
    else {
      const staged = await store.stage();
      for (let at = 0; at < bytes.length; at += 50_000) await staged.write(bytes.subarray(at, at + 50_000));
      await staged.commit(name);
    }
    say(name);
  }
}

async function stageAndWait(): Promise<void> {
  const store = await openDirectoryStore(path);
  const staged = await store.stage();
  await staged.write(new TextEncoder().encode("half "));
  say("staged");
  await Deno.stdin.read(new Uint8Array(1));
  await staged.write(new TextEncoder().encode("and half"));
  await staged.commit("bricks/whole");
  await store.close();
  say("committed");
}

async function putUnderUmask(): Promise<void> {
  Deno.umask(parseInt(seed, 8));
  const store = await openDirectoryStore(path);
  await store.put("keys/a.age", new Uint8Array(10));
  await store.put("index/dd/b.json", new Uint8Array(10), { once: true });
  const staged = await store.stage();
  await staged.write(new Uint8Array(10));
  await staged.commit("bricks/ab/c");
  await store.stage();
  say("put");
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (what === "writeForEver") await writeForEver();
if (what === "stageAndWait") await stageAndWait();
if (what === "putUnderUmask") await putUnderUmask();
