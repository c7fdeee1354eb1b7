import assert from "node:assert/strict";
import { join } from "node:path";
import { writeSums } from "../../scripts/sums.ts";
import { targets } from "../../scripts/targets.ts";

Deno.test("every system has a name of its own, and Windows gets the suffix that it wants", () => {
  assert.equal(new Set(targets.map(({ name }) => name)).size, targets.length);
  for (const { triple, name } of targets) assert.equal(triple.includes("windows"), name.endsWith(".exe"), triple);
});

Deno.test("SHA256SUMS is as sha256sum -c takes it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "b"), "");
    await Deno.writeTextFile(join(folder, "a"), "abc");
    await writeSums(folder, ["b", "a"]);
    // FIPS 180-4's own example, and the well-known hash of nothing.
    assert.equal(
      await Deno.readTextFile(join(folder, "SHA256SUMS")),
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n" +
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
