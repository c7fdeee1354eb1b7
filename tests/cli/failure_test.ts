import assert from "node:assert/strict";
import { ClosedOutputError, InterruptedError, UsageError } from "../../lib/cli/errors.ts";
import { exitCodeOf, exitCodes } from "../../lib/cli/exit_codes.ts";
import { describeFailure } from "../../lib/cli/failure.ts";
import { printable, printableLine } from "../../lib/cli/printable.ts";

function named(name: string): Error {
  const error = new Error(`a ${name}`);
  error.name = name;
  return error;
}

Deno.test("every error class has the exit code of the design", () => {
  const expected: [string, number][] = [
    ["Error", 1],
    ["TypeError", 1],
    ["UsageError", 2],
    ["IncompleteInputError", 3],
    ["DamageError", 4],
    ["NoRepositoryError", 5],
    ["WrongKeyError", 6],
    ["NeedsThawError", 7],
    ["ConflictError", 8],
    ["CostCeilingError", 9],
    ["UnsupportedError", 10],
    ["InterruptedError", 130],
    ["ClosedOutputError", 141],
  ];
  for (const [name, code] of expected) assert.equal(exitCodeOf(named(name)), code, name);
  assert.equal(exitCodeOf("a thrown string"), 1);
});

Deno.test("the classes of the command line carry the names of the table", () => {
  assert.equal(exitCodeOf(new UsageError("x")), 2);
  assert.equal(exitCodeOf(new InterruptedError("x")), 130);
  assert.equal(exitCodeOf(new ClosedOutputError("x")), 141);
});

Deno.test("every exit code that can happen is explained once", () => {
  assert.deepEqual(exitCodes.map(({ code }) => code), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130, 141]);
  for (const { meaning } of exitCodes) assert.notEqual(meaning, "");
});

Deno.test("a failure is a sentence without a stack", () => {
  const text = describeFailure(named("DamageError"), { json: false, debug: false });
  assert.equal(text, "tarzan: a DamageError\n");
});

Deno.test("with TARZAN_DEBUG the stack and the causes are shown", () => {
  const error = new Error("outer", { cause: new Error("inner") });
  const text = describeFailure(error, { json: false, debug: true });
  assert.match(text, /^tarzan: outer\n/);
  assert.match(text, /failure_test\.ts/);
  assert.match(text, /caused by Error: inner/);
});

Deno.test("with --json a failure is one object on one line", () => {
  const error = named("UnsupportedError");
  error.message = 'two\nlines and a "quote"';
  const text = describeFailure(error, { json: true, debug: true });
  assert.equal(text.indexOf("\n"), text.length - 1);
  assert.deepEqual(JSON.parse(text), {
    schema: "tarzan.error/1",
    code: 10,
    message: 'two\nlines and a "quote"',
  });
});

Deno.test("a bug is called one, and how to report it", () => {
  const text = describeFailure(new TypeError("undefined is not a function"), { json: false, debug: false });
  assert.match(text, /looks like a bug in TARzan.*TARZAN_DEBUG=1/);
});

Deno.test("a reader who went away is told nothing", () => {
  assert.equal(describeFailure(new ClosedOutputError("gone"), { json: false, debug: true }), "");
});

Deno.test("an error about a hostile file name cannot take over the terminal", () => {
  const text = describeFailure(new Error("Cannot read \x1b]0;owned\x07\u202egnp.exe"), { json: false, debug: false });
  assert.equal(text, "tarzan: Cannot read \\x1b]0;owned\\x07\\u202egnp.exe\n");
});

Deno.test("printable text keeps lines, tabs and every script; one-line text escapes the line ends too", () => {
  assert.equal(printable("Grüße\t你好 🌿\nnext"), "Grüße\t你好 🌿\nnext");
  assert.equal(printable("a\rb\x9bc\x7f"), "a\\x0db\\x9bc\\x7f");
  assert.equal(printableLine("a\nb\tc"), "a\\nb\\tc");
});
