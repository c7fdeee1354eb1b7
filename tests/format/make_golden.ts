/**
 * Made tests/golden/format-1, once: `deno run -A tests/format/make_golden.ts DIRECTORY`. Run it for a new version of the
 * format only, into a new directory: a golden repository stays as it is for ever.
 */
import { createDirectoryStore } from "../../lib/store/mod.ts";
import { addSlot, CONFIG_NAME } from "../../lib/repository/mod.ts";
import { create } from "../../lib/verbs/mod.ts";
import { CONFIG, exampleBundle, exampleTar, PASSPHRASE, utf8 } from "./example.ts";
import { testSession } from "./session.ts";

const directory = Deno.args[0];
if (directory === undefined) throw new Error("Name the directory to make");
// The host's name stands in the index.
Deno.hostname = () => "example";
const home = await Deno.makeTempDir({ prefix: "tarzan-golden-" });
try {
  const bundle = await exampleBundle();
  const store = await createDirectoryStore(directory);
  // A cheap slot: its passphrase is printed in the document anyway.
  await addSlot(store, { bundle, label: "passphrase", to: { passphrase: PASSPHRASE, workFactor: 10 } });
  await store.put(CONFIG_NAME, utf8(CONFIG), { once: true });
  await store.close();
  const session = testSession({ repository: directory, home, identities: [bundle] });
  const result = await create(session, {
    out: undefined,
    label: "example",
    tags: ["format"],
    level: 3,
    brickSizeBytes: 16 * 1024 * 1024,
    source: { kind: "bytes", pieces: [exampleTar()] },
  });
  await Deno.stdout.write(utf8(JSON.stringify(result) + "\n"));
} finally {
  await Deno.remove(home, { recursive: true });
}
