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

const posix = Deno.build.os !== "windows";

Deno.test("the first signal aborts, its echo does nothing, the second exits at once", { ignore: !posix }, async () => {
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    const args = ["run", "--no-config", fixture, "5000", "5001", "5400"];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    let said = "";
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const heard = async (text: string) => {
      while (!said.includes(text)) said += (await reader.read()).value ?? assert.fail(`it ended after: ${said}`);
    };
    await heard("listening\n");
    child.kill(name);
    await heard(`InterruptedError: Interrupted by ${name}\n`);
    await heard("2 to come\n");
    child.kill(name);
    await heard("1 to come\n");
    child.kill(name);
    assert.equal((await reader.read()).done, true);
    assert.equal((await child.status).code, 130);
  }
});
