import assert from "node:assert/strict";
import fc from "fast-check";
import { nameFromPrintable, printableName } from "../../lib/tar/mod.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("every name can be turned back from what was printed", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (name) => {
    assert.deepEqual(nameFromPrintable(printableName(name)), name);
  }));
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.deepEqual(nameFromPrintable(printableName(encode(text))), encode(text));
  }));
});

Deno.test("what is printed holds no control, format, private or broken characters and no line ends", () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.string({ unit: "binary" }).map(encode)), (name) => {
      assert.doesNotMatch(printableName(name), /[\p{C}\p{Zl}\p{Zp}\ufffd]/u);
    }),
    { examples: [[encode("\x1b]0;title\x07")], [encode("a\nb\r\u2028\u0085")]] },
  );
});

Deno.test("letters of all scripts, spaces and emoji stay as they are", () => {
  for (const name of ["plain file.txt", "Überraschung/日本語/עברית", "😀", "a\u0301", "~!@#$%^&*()'\"<>"]) {
    assert.equal(printableName(encode(name)), name);
  }
});

Deno.test("what cannot be printed is shown byte by byte", () => {
  assert.equal(printableName(encode("a\\b")), "a\\\\b");
  assert.equal(printableName(encode("tab\tnewline\n")), "tab\\x09newline\\x0a");
  assert.equal(printableName(encode("gpj.\u202exe")), "gpj.\\xe2\\x80\\xaexe");
  assert.equal(printableName(encode("\ufeffbom")), "\\xef\\xbb\\xbfbom");
  assert.equal(printableName(Uint8Array.of(0x63, 0xe9, 0x00, 0xff)), "c\\xe9\\x00\\xff");
  // Overlong, a surrogate, beyond Unicode, cut short.
  assert.equal(printableName(Uint8Array.of(0xc0, 0xaf)), "\\xc0\\xaf");
  assert.equal(printableName(Uint8Array.of(0xed, 0xa0, 0x80)), "\\xed\\xa0\\x80");
  assert.equal(printableName(Uint8Array.of(0xf4, 0x90, 0x80, 0x80)), "\\xf4\\x90\\x80\\x80");
  assert.equal(printableName(Uint8Array.of(0xe6, 0x97)), "\\xe6\\x97");
});

Deno.test("a name in memory that threads share prints the same", () => {
  const name = new Uint8Array(new SharedArrayBuffer(2));
  name.set(encode("ü"));
  assert.equal(printableName(name), "ü");
});

Deno.test("a typed backslash that begins no escape stands for itself", () => {
  assert.deepEqual(nameFromPrintable("a\\b\\xZZ\\"), encode("a\\b\\xZZ\\"));
});

Deno.test("names of a megabyte print", () => {
  assert.equal(printableName(new Uint8Array(1 << 20).fill(0x61)).length, 1 << 20);
  assert.equal(printableName(new Uint8Array(1 << 18).fill(0xff)).length, 1 << 20);
});
