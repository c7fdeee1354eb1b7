import assert from "node:assert/strict";
import fc from "fast-check";
import { ProgressLine, type ProgressScreen } from "../../lib/cli/progress_line.ts";
import {
  advanceProgress,
  beginProgress,
  currentRate,
  type ProgressFields,
  type ProgressState,
  remainingMs,
  renderProgress,
} from "../../lib/cli/progress.ts";

const mib = 1024 * 1024;

/** The state after reports at the given seconds. */
function after(reports: [second: number, fields: ProgressFields][]): ProgressState {
  const states = reports.reduce<ProgressState[]>((states, [second, fields]) => {
    const last = states.at(-1);
    const next = last ? advanceProgress(last, fields, second * 1000) : beginProgress(fields, second * 1000);
    return [...states, next];
  }, []);
  return states.at(-1) ?? assert.fail("no reports");
}

Deno.test("with a known total the line shows share, rate and time left", () => {
  const state = after([
    [0, { phase: "checking bricks", bytesDone: 0, bytesTotal: 1000 * mib }],
    [2, { phase: "checking bricks", bytesDone: 200 * mib, bytesTotal: 1000 * mib }],
  ]);
  assert.equal(renderProgress(state, 100), "checking bricks  20 %  200 MiB of 1000 MiB  100 MiB/s  8.0 s left");
});

Deno.test("things without a length are counted", () => {
  const state = after([[0, { phase: "reading the ledger", itemsDone: 12, itemsTotal: 3400 }]]);
  assert.equal(renderProgress(state, 100), "reading the ledger  12 of 3,400  0 ms");
});

Deno.test("without a total the line shows what came, how fast, and for how long", () => {
  const state = after([
    [0, { phase: "reading", bytesDone: 0, entries: 0, storedBytes: 0 }],
    [4, { phase: "reading", bytesDone: 400 * mib, entries: 67_960, storedBytes: 12 * mib }],
  ]);
  assert.equal(renderProgress(state, 100), "reading  400 MiB  100 MiB/s  67,960 entries  12 MiB stored  4.0 s");
});

Deno.test("a narrow terminal loses what matters least, first", () => {
  const state = after([
    [0, { phase: "reading", bytesDone: 0, bytesTotal: 1000 * mib, entries: 0, storedBytes: 0 }],
    [4, { phase: "reading", bytesDone: 400 * mib, bytesTotal: 1000 * mib, entries: 7, storedBytes: 12 * mib }],
  ]);
  assert.equal(
    renderProgress(state, 90),
    "reading  40 %  400 MiB of 1000 MiB  100 MiB/s  7 entries  12 MiB stored  6.0 s left",
  );
  assert.equal(renderProgress(state, 75), "reading  40 %  400 MiB of 1000 MiB  100 MiB/s  12 MiB stored  6.0 s left");
  assert.equal(renderProgress(state, 60), "reading  40 %  400 MiB of 1000 MiB  100 MiB/s  6.0 s left");
  assert.equal(renderProgress(state, 40), "reading  40 %  100 MiB/s  6.0 s left");
  assert.equal(renderProgress(state, 28), "reading  40 %  6.0 s left");
  assert.equal(renderProgress(state, 20), "reading  40 %");
  assert.equal(renderProgress(state, 5), "read");
});

Deno.test("no line is ever as wide as the terminal", () => {
  const field = fc.option(fc.nat({ max: 2 ** 50 }), { nil: undefined });
  const fields = fc.record({ bytesDone: field, bytesTotal: field, entries: field, storedBytes: field })
    .map((numbers) => ({ phase: "checking bricks", ...numbers }) as ProgressFields);
  fc.assert(
    fc.property(fields, fields, fc.nat({ max: 10 ** 9 }), fc.integer({ min: 2, max: 200 }), (a, b, ms, columns) => {
      const line = renderProgress(advanceProgress(beginProgress(a, 0), b, ms), columns);
      assert.ok(line.length < columns, line);
    }),
  );
});

Deno.test("the rate follows the last ten seconds, not the whole run", () => {
  const reports: [number, ProgressFields][] = [];
  for (let second = 0; second <= 60; second++) {
    // Fast for half a minute, then a tenth of it.
    const bytesDone = (Math.min(second, 30) * 100 + Math.max(0, second - 30) * 10) * mib;
    reports.push([second, { phase: "reading", bytesDone, bytesTotal: 4000 * mib }]);
  }
  const state = after(reports);
  assert.equal(currentRate(state), 10 * mib);
  assert.equal(remainingMs(state), 70_000);
  assert.ok(state.samples.length <= 42);
});

Deno.test("there is no rate before half a second, and a stall is a rate of nothing with no time left to tell", () => {
  const early = after([[0, { phase: "reading", bytesDone: 0 }], [0.4, { phase: "reading", bytesDone: mib }]]);
  assert.equal(currentRate(early), undefined);
  const stalled = after([
    [0, { phase: "reading", bytesDone: 5, bytesTotal: 10 }],
    [20, { phase: "reading", bytesDone: 5, bytesTotal: 10 }],
  ]);
  assert.equal(currentRate(stalled), 0);
  assert.equal(remainingMs(stalled), undefined);
});

Deno.test("a new phase starts the clock and the rate again", () => {
  const state = after([
    [0, { phase: "reading", bytesDone: 0 }],
    [10, { phase: "reading", bytesDone: 1000 * mib }],
    [11, { phase: "writing index", bytesDone: 0 }],
    [12, { phase: "writing index", bytesDone: 2 * mib }],
  ]);
  assert.equal(renderProgress(state, 80), "writing index  2 MiB  2 MiB/s  1.0 s");
});

/** A screen with a clock that the test moves. */
function recordingScreen(isTerminal: boolean) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const screen: ProgressScreen = {
    write: (text) => written.push(text),
    isTerminal,
    columns: () => 80,
    nowMs: () => clock.ms,
  };
  return { written, clock, screen };
}

Deno.test("a terminal's line is rewritten at most eight times a second and removed at the end", () => {
  const { written, clock, screen } = recordingScreen(true);
  const line = new ProgressLine(screen);
  for (; clock.ms < 2300; clock.ms += 10) line.update({ phase: "reading", bytesDone: clock.ms * 1000 });
  assert.ok(written.length >= 14 && written.length <= 17, `${written.length} times in two seconds`);
  for (const text of written) assert.ok(text.startsWith("\rreading  ") && text.endsWith("\x1b[K"), text);
  line.done();
  assert.equal(written.at(-1), "\r\x1b[K");
});

Deno.test("a command that is over at once shows no progress", () => {
  const { written, clock, screen } = recordingScreen(true);
  const line = new ProgressLine(screen);
  for (; clock.ms < 300; clock.ms += 10) line.update({ phase: "reading", bytesDone: 1 });
  line.done();
  assert.deepEqual(written, []);
});

Deno.test("a line that was cleared for a message comes back with the next report", () => {
  const { written, clock, screen } = recordingScreen(true);
  const line = new ProgressLine(screen);
  clock.ms = 500;
  line.update({ phase: "reading" });
  line.clear();
  clock.ms = 510;
  line.update({ phase: "reading" });
  assert.deepEqual(written.map((text) => text.startsWith("\rreading")), [true, false, true]);
  line.clear();
  line.clear();
  assert.equal(written.length, 4);
});

Deno.test("a log gets a whole line every five seconds and one at the end", () => {
  const { written, clock, screen } = recordingScreen(false);
  const line = new ProgressLine(screen);
  for (; clock.ms <= 12_000; clock.ms += 100) line.update({ phase: "reading", bytesDone: clock.ms });
  line.done();
  assert.equal(written.length, 3);
  for (const text of written) assert.match(text, /^reading {2}[ -~]*\n$/);
});

Deno.test("a short run leaves no line in a log", () => {
  const { written, clock, screen } = recordingScreen(false);
  const line = new ProgressLine(screen);
  for (; clock.ms <= 4_000; clock.ms += 100) line.update({ phase: "reading", bytesDone: clock.ms });
  line.done();
  assert.deepEqual(written, []);
});
