/** What waits comes out as it went in, whatever mixture of bytes and parts, and whenever it is asked for. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Line, type LinePart } from "../../lib/pipeline/line.ts";

const number = fc.nat(2 ** 31);
const part: fc.Arbitrary<LinePart> = fc.record(
  { block: number, index: number, offset: number, from: number, length: number },
  { noNullPrototype: true },
);
const step = fc.oneof(
  fc.record({ part }),
  fc.record({ bytes: fc.uint8Array({ maxLength: 100, size: "max" }), times: fc.constantFrom(1, 1, 1, 900) }),
  fc.record({ take: fc.constantFrom(1, 2, 5, 1500) }),
);

Deno.test("a line gives back bytes and parts in the order in which they came", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const line = new Line();
    const model: (LinePart | Uint8Array)[] = [];
    const take = () => {
      const expected = model.shift()!;
      assert.ok(!line.isEmpty);
      assert.equal(line.length, expected.length);
      if (expected instanceof Uint8Array) assert.deepEqual(line.bytes(), expected);
      else assert.deepEqual([line.bytes(), line.part()], [undefined, expected]);
      line.shift();
    };
    for (const step of steps) {
      if ("part" in step) {
        line.addPart(step.part);
        model.push(step.part);
      } else if ("bytes" in step) {
        for (let i = 0; i < step.times; i++) {
          line.addBytes(step.bytes);
          model.push(step.bytes);
        }
      } else {
        for (let i = Math.min(step.take, model.length); i > 0; i--) take();
      }
      assert.equal(line.isEmpty, model.length === 0);
    }
    while (model.length > 0) take();
    assert.ok(line.isEmpty);
  }));
});

Deno.test("bytes are copies", () => {
  const line = new Line();
  const bytes = Uint8Array.of(1, 2, 3);
  line.addBytes(bytes);
  bytes.fill(0);
  assert.deepEqual(line.bytes(), Uint8Array.of(1, 2, 3));
});
