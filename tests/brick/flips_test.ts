// Every single bit of a small brick, flipped one at a time, without a look at its name: whatever part the bit is in, the check
// that guards that part notices. (That a name notices is what a SHA-256 is for; verify's own tests show that it is asked.)

import assert from "node:assert/strict";
import { checkPadding, openHeader, openToc, parseTrailer, TRAILER_BYTES, unpackBlock } from "../../lib/brick/mod.ts";
import { DamageError, Opener, UnsupportedError, unwrapKey } from "../../lib/crypto/mod.ts";
import { flipped, IDENTITY, KEYS, noise, openBrick, readBrick, writeBrick } from "./bricks.ts";

// Many small blocks leave little padding, so no frame is long and each of half a million flips costs little.
const text = new TextEncoder().encode("compressed ".repeat(300));
const blocks = Array.from({ length: 65 }, (_, i) => [i % 8 === 7 ? text : noise(1000, i + 1)]);
const { bytes } = await writeBrick(blocks);
const whole = await openBrick(bytes);
const key = await unwrapKey(whole.header.ageFile, IDENTITY, "the key");

interface Part {
  from: number;
  to: number;
}

/** Flips each bit of a part, some at a time, and asserts that each is refused. */
async function flipAll(part: Part, check: (part: Uint8Array<ArrayBuffer>) => unknown): Promise<number> {
  const original = bytes.slice(part.from, part.to);
  const bits = original.length * 8;
  let next = 0;
  const lane = async () => {
    while (next < bits) {
      const bit = next++;
      let noticed = false;
      try {
        await check(flipped(original, bit));
      } catch (error) {
        if (!(error instanceof DamageError || error instanceof UnsupportedError)) throw error;
        noticed = true;
      }
      if (!noticed) assert.fail(`bit ${bit & 7} of byte ${part.from + (bit >> 3)} was not noticed`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  return bits;
}

Deno.test("every flipped bit of a small brick is noticed by the part of the file that it is in", async (t) => {
  assert.equal((await readBrick(bytes)).length, blocks.length);
  const { header, padding, tocFrame } = whole;
  let bits = 0;

  await t.step("in the header, by its form or its MAC", async () => {
    bits += await flipAll(
      { from: 0, to: header.bytes.length },
      (start) => openHeader(start, KEYS, "the brick"),
    );
  });

  await t.step("in a block, by the tag of its frame", async () => {
    const opener = new Opener(key, header.hm);
    for (const [number, block] of whole.blocks.entries()) {
      unpackBlock(await opener.open("B", number, bytes.slice(block.from, block.to)), block.rawLength, "the block");
      bits += await flipAll(block, (frame) => opener.open("B", number, frame));
    }
  });

  await t.step("in the padding, by the tag of its frame", async () => {
    bits += await flipAll(padding, (frame) => checkPadding(header, { keys: KEYS, frame, what: "the brick" }));
  });

  await t.step("in the toc, by the tag of its frame", async () => {
    const options = { keys: KEYS, fileBytes: bytes.length, what: "the brick" };
    bits += await flipAll(tocFrame, (frame) => openToc(header, { ...options, frame }));
  });

  await t.step("in the trailer, by its magic, or since no toc stands where it leads", async () => {
    bits += await flipAll({ from: tocFrame.to, to: bytes.length }, async (trailer) => {
      const from = tocFrame.to - parseTrailer(trailer, "the brick");
      if (from < header.bytes.length) throw new DamageError("before the header's end");
      const frame = bytes.slice(from, tocFrame.to);
      await openToc(header, { keys: KEYS, frame, fileBytes: bytes.length, what: "the brick" });
    });
  });

  assert.equal(bits, bytes.length * 8);
  assert.equal(tocFrame.to + TRAILER_BYTES, bytes.length);
});
