import assert from "node:assert/strict";
import { InterruptedError, NoTerminalError, UsageError } from "../../lib/cli/errors.ts";
import { LineEditor } from "../../lib/cli/line_editor.ts";
import { askPassphrase, askYes } from "../../lib/cli/prompts.ts";
import { readRawLine, type Terminal, type TerminalDevice } from "../../lib/cli/terminal.ts";

const utf8 = new TextEncoder();

/** Somebody who types these lines, one a question. */
function typist(...lines: string[]): { terminal: Terminal; questions: string[] } {
  const questions: string[] = [];
  const terminal: Terminal = {
    readLine(question) {
      questions.push(question);
      return Promise.resolve(lines.shift() ?? assert.fail("one question too many"));
    },
  };
  return { terminal, questions };
}

const nobody: Terminal = { readLine: () => Promise.reject(new NoTerminalError("nobody there")) };
const opening = { purpose: "to open /r", confirm: false, instead: "--passphrase-file FILE" };
const fresh = { ...opening, purpose: "for /r", confirm: true };

Deno.test("an existing passphrase is asked for once", async () => {
  const { terminal, questions } = typist("secret");
  assert.equal(await askPassphrase(terminal, opening), "secret");
  assert.deepEqual(questions, ["Passphrase to open /r: "]);
});

Deno.test("a new passphrase is asked for until it is typed the same way twice", async () => {
  const { terminal, questions } = typist("", "one", "two", "three", "three");
  assert.equal(await askPassphrase(terminal, fresh), "three");
  assert.deepEqual(questions, [
    "New passphrase for /r: ",
    "It must not be empty. New passphrase for /r: ",
    "The same again: ",
    "The two differ. New passphrase for /r: ",
    "The same again: ",
  ]);
});

Deno.test("three mistyped passphrases are enough", async () => {
  const { terminal } = typist("a", "b", "a", "b", "a", "b");
  await assert.rejects(askPassphrase(terminal, fresh), UsageError);
});

Deno.test("without a terminal the error says which options to use instead", async () => {
  for (const question of [opening, fresh]) {
    await assert.rejects(askPassphrase(nobody, question), (error: Error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, /is needed and there is no terminal.*Give it with --passphrase-file FILE/);
      return true;
    });
  }
  const pin = { text: "The code is ab12.", instead: "give the code with --pin ab12" };
  await assert.rejects(askYes(nobody, pin), /The code is ab12\..*give the code with --pin ab12/);
});

Deno.test("only a typed yes is a yes", async () => {
  for (const [line, expected] of [["yes", true], [" YES ", true], ["y", false], ["", false], ["no", false]] as const) {
    assert.equal(await askYes(typist(line).terminal, { text: "Sure?", instead: "" }), expected, line);
  }
});

Deno.test("typed bytes become a line, with backspace, Ctrl-U and keys that are ignored", () => {
  const expected: [string, string][] = [
    ["secret\r", "secret"],
    ["secret\n", "secret"],
    ["\r", ""],
    ["wrong\x15right\r", "right"],
    ["abx\x7fc\r", "abc"],
    ["aé你🌿\x7f\x7f\b\r", "a"],
    ["\x7f\x7fa\r", "a"],
    ["a\x1b[Ab\x1b[1;5Dc\x1bOPd\r", "abcd"],
    ["a\x1b\r", "a"],
    ["a\x04b\r", "ab"],
    ["a\tb\x00c\r", "abc"],
  ];
  for (const [typed, line] of expected) {
    const bytes = utf8.encode(typed);
    assert.deepEqual(new LineEditor().feed(bytes), { kind: "line", text: line }, JSON.stringify(typed));
    const editor = new LineEditor();
    const ends = [...bytes].map((byte) => editor.feed(new Uint8Array([byte])));
    assert.deepEqual(ends.pop(), { kind: "line", text: line }, JSON.stringify(typed));
    assert.ok(ends.every((end) => end === undefined));
  }
});

Deno.test("Ctrl-C ends a line at any point and Ctrl-D at its beginning", () => {
  assert.deepEqual(new LineEditor().feed(utf8.encode("abc\x03def\r")), { kind: "interrupt" });
  assert.deepEqual(new LineEditor().feed(utf8.encode("\x1b\x03")), { kind: "interrupt" });
  assert.deepEqual(new LineEditor().feed(utf8.encode("\x04")), { kind: "end" });
});

Deno.test("a line without end takes bounded memory", () => {
  const editor = new LineEditor();
  assert.equal(editor.feed(new Uint8Array(1_000_000).fill(0x61)), undefined);
  assert.equal(editor.typed.length, 4096);
});

/** A device whose reads are given in advance; after them, a read never comes back. */
function device(...reads: (string | null | Error)[]) {
  const log: string[] = [];
  const never = Promise.withResolvers<number | null>();
  const self: TerminalDevice = {
    read(buffer) {
      const next = reads.shift();
      if (next === undefined) return never.promise;
      if (next instanceof Error) return Promise.reject(next);
      return Promise.resolve(next === null ? null : utf8.encodeInto(next, buffer).written);
    },
    write: (text) => log.push(text),
    setRaw: (raw) => log.push(raw ? "<raw>" : "<normal>"),
    close: () => log.push("<closed>"),
  };
  return { self, log };
}

const restored = ["<normal>", "\n", "<closed>"];

Deno.test("a hidden line shows nothing, a shown one is echoed as it grows", async () => {
  const hidden = device("se", "cret\r");
  const options = { question: "P: ", signal: new AbortController().signal };
  assert.equal(await readRawLine(hidden.self, { ...options, hidden: true }), "secret");
  assert.deepEqual(hidden.log, ["<raw>", "P: ", ...restored]);
  const shown = device("ye", "s", "\r");
  assert.equal(await readRawLine(shown.self, { ...options, hidden: false }), "yes");
  assert.deepEqual(shown.log, ["<raw>", "P: ", "\rP: ye\x1b[K", "\rP: yes\x1b[K", "\rP: yes\x1b[K", ...restored]);
});

Deno.test("the terminal is restored after Ctrl-C, a closed terminal, an error and an aborted signal", async () => {
  const options = { question: "P: ", hidden: true, signal: new AbortController().signal };
  for (
    const [read, expected] of [["ab\x03", InterruptedError], [null, InterruptedError], [
      new Error("EIO"),
      /EIO/,
    ]] as const
  ) {
    const { self, log } = device(read);
    await assert.rejects(readRawLine(self, options), expected);
    assert.deepEqual(log, ["<raw>", "P: ", ...restored]);
  }
  const controller = new AbortController();
  const { self, log } = device("half a li");
  const line = readRawLine(self, { ...options, signal: controller.signal });
  controller.abort(new InterruptedError("SIGTERM"));
  await assert.rejects(line, /SIGTERM/);
  assert.deepEqual(log, ["<raw>", "P: ", ...restored]);
  await assert.rejects(readRawLine(self, { ...options, signal: controller.signal }), /SIGTERM/);
  assert.equal(log.length, 5);
});
