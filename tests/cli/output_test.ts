import assert from "node:assert/strict";
import { ClosedOutputError } from "../../lib/cli/errors.ts";
import { openOutput, type OutputStream } from "../../lib/cli/output.ts";

/** A stream that takes a few bytes at a time and, when told so, fails. */
function stingyStream(failure?: Error) {
  const taken: number[] = [];
  const take = (bytes: Uint8Array) => {
    if (failure) throw failure;
    taken.push(...bytes.subarray(0, 3));
    return Math.min(3, bytes.length);
  };
  const stream: OutputStream = {
    write: (bytes) => Promise.resolve().then(() => take(bytes)),
    writeSync: take,
    isTerminal: () => false,
  };
  return { stream, text: () => new TextDecoder().decode(new Uint8Array(taken)) };
}

Deno.test("everything is written, even when the stream takes little at a time", async () => {
  const { stream, text } = stingyStream();
  const output = openOutput(stream);
  await output.write(new TextEncoder().encode("ten bytes!"));
  output.print(" and text");
  assert.equal(text(), "ten bytes! and text");
});

Deno.test("a reader that went away is told apart from every other failure", async () => {
  const gone = openOutput(stingyStream(new Deno.errors.BrokenPipe("os error 32")).stream);
  await assert.rejects(gone.write(new Uint8Array(1)), ClosedOutputError);
  assert.throws(() => gone.print("x"), ClosedOutputError);
  const full = openOutput(stingyStream(new Error("No space left on device")).stream);
  await assert.rejects(full.write(new Uint8Array(1)), /No space left/);
});

const fixture = new URL("fixtures/interrupts.ts", import.meta.url).pathname;

Deno.test("the first signal aborts, the second exits at once", { ignore: Deno.build.os === "windows" }, async () => {
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    const child = new Deno.Command(Deno.execPath(), { args: ["run", "--no-config", fixture], stdout: "piped" }).spawn();
    const said = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await said.read()).value, "listening\n");
    child.kill(name);
    assert.equal((await said.read()).value, `InterruptedError: Interrupted by ${name}\n`);
    child.kill(name);
    assert.equal((await said.read()).done, true);
    assert.equal((await child.status).code, 130);
  }
});
