import assert from "node:assert/strict";
import { inRepository } from "./repositories.ts";

Deno.test("of snapshots made one right after the other, the last is the newest", async () => {
  await inRepository(async ({ machine }) => {
    const [writer, reader] = [machine(), machine()];
    const names: string[] = [];
    // Several a second: their names have whole seconds.
    for (let i = 0; i < 6; i++) {
      const stream = new TextEncoder().encode(`stream ${i}`);
      names.push((await writer.create(stream)).snapshot);
      assert.deepEqual(await reader.extract(), stream);
    }
    assert.deepEqual(names.toSorted(), names);
  });
});
