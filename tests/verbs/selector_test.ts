// Which entries paths and globs mean.

import assert from "node:assert/strict";
import fc from "fast-check";
import { plainName, selector } from "../../lib/verbs/selector.ts";

const latin = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const name = (text: string) => plainName(new TextEncoder().encode(text));

/** Names of one tree; each case says which of them its pattern means. */
const TREE = [
  "etc",
  "etc/passwd",
  "etc/ssh",
  "etc/ssh/sshd_config",
  "etcetera",
  "home/a/.profile",
  "home/a/notes.txt",
  "home/b/notes.txt",
  "home/b/deep/er/notes.txt",
  "home/b/[1].txt",
  "home/b/1.txt",
  "a+b(c).txt",
  "tschüss",
];

const CASES: [pattern: string, means: string[]][] = [
  ["etc", ["etc", "etc/passwd", "etc/ssh", "etc/ssh/sshd_config"]],
  ["/etc", ["etc", "etc/passwd", "etc/ssh", "etc/ssh/sshd_config"]],
  ["./etc/", ["etc", "etc/passwd", "etc/ssh", "etc/ssh/sshd_config"]],
  [".//etc//ssh/", []],
  ["etc/ssh", ["etc/ssh", "etc/ssh/sshd_config"]],
  ["etc/*", ["etc/passwd", "etc/ssh", "etc/ssh/sshd_config"]],
  ["et?", ["etc", "etc/passwd", "etc/ssh", "etc/ssh/sshd_config"]],
  ["et*", ["etc", "etc/passwd", "etc/ssh", "etc/ssh/sshd_config", "etcetera"]],
  ["*.txt", ["a+b(c).txt"]],
  ["home/*/notes.txt", ["home/a/notes.txt", "home/b/notes.txt"]],
  ["home/**/notes.txt", ["home/a/notes.txt", "home/b/notes.txt", "home/b/deep/er/notes.txt"]],
  ["**/notes.txt", ["home/a/notes.txt", "home/b/notes.txt", "home/b/deep/er/notes.txt"]],
  ["**.txt", TREE.filter((name) => name.endsWith(".txt"))],
  ["home/[ab]/notes.txt", ["home/a/notes.txt", "home/b/notes.txt"]],
  ["home/[!a]/notes.txt", ["home/b/notes.txt"]],
  ["home/[^a]/notes.txt", ["home/b/notes.txt"]],
  ["home/[b-z]/notes.txt", ["home/b/notes.txt"]],
  ["home/b/[[]1].txt", ["home/b/[1].txt"]],
  ["home/b/[1].txt", ["home/b/[1].txt", "home/b/1.txt"]],
  ["home[!x]a", []],
  ["home/a/.profile", ["home/a/.profile"]],
  ["home/a/.*", ["home/a/.profile"]],
  ["a+b(c).txt", ["a+b(c).txt"]],
  ["a+b(?).txt", ["a+b(c).txt"]],
  ["tschüss", ["tschüss"]],
  ["tsch*", ["tschüss"]],
  ["nothing", []],
  ["", TREE],
  [".", TREE],
  ["/", TREE],
  ["**", TREE],
];

for (const [pattern, means] of CASES) {
  Deno.test(`the pattern ${JSON.stringify(pattern)} means ${means.length} of ${TREE.length} names`, () => {
    const select = selector([pattern]);
    assert.deepEqual(TREE.filter((path) => select.matches(name(path))), means);
    assert.deepEqual(select.missing(), means.length === 0 ? [pattern] : []);
  });
}

Deno.test("several patterns mean what any of them means, and each is told that nothing matched", () => {
  const select = selector(["etc/passwd", "none", "home/a/*", "neither"]);
  assert.deepEqual(TREE.filter((path) => select.matches(name(path))), [
    "etc/passwd",
    "home/a/.profile",
    "home/a/notes.txt",
  ]);
  assert.deepEqual(select.missing(), ["none", "neither"]);
});

Deno.test("however a tar begins or ends its names, they are compared the same", () => {
  for (const written of ["etc/ssh", "./etc/ssh", "/etc/ssh", "etc/ssh/", "./etc/ssh///", "//etc/ssh"]) {
    assert.ok(selector(["etc/ssh"]).matches(name(written)), written);
    assert.ok(selector([written]).matches(name("etc/ssh")), written);
  }
});

Deno.test("names of any bytes are compared byte by byte", () => {
  const bytes = latin("caf\xe9/\xff\n");
  assert.ok(selector(["caf*"]).matches(plainName(bytes)));
  assert.ok(selector(["*/??"]).matches(plainName(bytes)));
  assert.ok(!selector(["café"]).matches(plainName(bytes)), "that is UTF-8");
});

Deno.test("any name means itself as a pattern, and everything below it", () => {
  const segment = fc.string({ unit: "binary", minLength: 1, maxLength: 12 }).map((text) => text.replace(/[/\0]/g, "x"));
  fc.assert(fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), (segments) => {
    const path = segments.join("/");
    const select = selector([path]);
    assert.ok(select.matches(name(path)), path);
    assert.ok(select.matches(name(`${path}/below`)), path);
  }));
});

Deno.test("a bracket that begins no set is a bracket", () => {
  for (const [pattern, matches] of [["a[z-a]?", "a[z-a]b"], ["a[?", "a[b"], ["*]", "a]"], ["?[]", "a[]"]] as const) {
    assert.ok(selector([pattern]).matches(name(matches)), pattern);
    assert.ok(!selector([pattern]).matches(name("ax")), pattern);
  }
});
