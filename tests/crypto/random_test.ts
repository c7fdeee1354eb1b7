import assert from "node:assert/strict";
import { randomBytes, refuseSeededRandomness } from "../../lib/crypto/random.ts";
import { toHex } from "../../lib/crypto/hex.ts";

Deno.test("random bytes come in any length, also beyond what one system call gives", () => {
  for (const length of [0, 1, 32, 65_536, 65_537, 200_000]) {
    const bytes = randomBytes(length);
    assert.equal(bytes.length, length);
    if (length >= 32) assert.ok(bytes.subarray(-16).some((byte) => byte !== 0), "the end was filled too");
  }
  assert.notEqual(toHex(randomBytes(32)), toHex(randomBytes(32)));
});

Deno.test("a process without a seed is not refused", () => refuseSeededRandomness());

Deno.test("a process that was started with a seed is refused", async () => {
  const module = new URL("../../lib/crypto/random.ts", import.meta.url);
  const program = `import { refuseSeededRandomness } from ${JSON.stringify(module.href)}; refuseSeededRandomness();`;
  for (const flags of [["--seed=7"], ["--v8-flags=--random-seed=5"], []]) {
    const command = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-config",
        "--no-lock",
        ...flags,
        `data:text/javascript,${encodeURIComponent(program)}`,
      ],
    });
    const { success, stderr } = await command.output();
    assert.equal(success, flags.length === 0, `${flags}: ${new TextDecoder().decode(stderr)}`);
    assert.equal(new TextDecoder().decode(stderr).includes("repeatable randomness"), flags.length > 0);
  }
});
