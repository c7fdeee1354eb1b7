import assert from "node:assert/strict";
import { generatePassphrase } from "../../lib/crypto/passphrase.ts";
import { WORDS } from "../../lib/crypto/words.ts";

Deno.test("the word list has 2,048 short words that differ in their first four letters", () => {
  assert.equal(WORDS.length, 2048);
  assert.equal(new Set(WORDS.map((word) => word.slice(0, 4))).size, 2048);
  assert.ok(WORDS.every((word) => /^[a-z]{3,8}$/.test(word)));
  assert.deepEqual([...WORDS].sort(), WORDS);
});

Deno.test("a generated passphrase is ten words of the list, and another one each time", () => {
  const passphrases = Array.from({ length: 50 }, () => generatePassphrase());
  for (const passphrase of passphrases) {
    const words = passphrase.split("-");
    assert.equal(words.length, 10);
    assert.ok(words.every((word) => WORDS.includes(word)));
  }
  assert.equal(new Set(passphrases).size, passphrases.length);
});

Deno.test("every word is chosen by equally many random values", () => {
  const counts = new Map<string, number>();
  for (let start = 0; start < 65_536; start += 10) {
    const numbers = Array.from({ length: 10 }, (_, i) => (start + i) % 65_536);
    const random = () => Uint8Array.from(numbers.flatMap((number) => [number >> 8, number & 255]));
    generatePassphrase(random).split("-").forEach((word, i) => {
      if (start + i < 65_536) counts.set(word, (counts.get(word) ?? 0) + 1);
    });
  }
  assert.equal(counts.size, 2048);
  assert.deepEqual(new Set(counts.values()), new Set([32]));
});
