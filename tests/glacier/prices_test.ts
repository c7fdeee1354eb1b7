// The price table: the one that comes along, and the user's own over it.

import assert from "node:assert/strict";
import { parsePrices, priceClasses, priceSources, shippedPrices, tiersOf } from "../../lib/glacier/mod.ts";
import { priceTable } from "../../lib/glacier/price_table.ts";

const shipped = shippedPrices();

/** A file with only these members beside what every table has. */
function file(members: Record<string, unknown>): string {
  const head = { format: "tarzan prices", version: 1, asOf: "2027-01-02", region: "eu-central-1", currency: "USD" };
  return JSON.stringify({ ...head, source: "my bill", ...members });
}

/** The shipped class with members changed or, where undefined, left out. */
function changed(name: keyof typeof priceTable.classes, members: Record<string, unknown>): Record<string, unknown> {
  return { ...priceTable.classes[name], ...members };
}

function refused(text: string, expected: RegExp): void {
  assert.throws(() => parsePrices(text, "prices.json"), (error: Error) => {
    assert.match(error.message, /^Cannot use the price table prices\.json: /);
    assert.match(error.message, expected);
    return true;
  });
}

Deno.test("the table that comes along is complete: each class has a price for each of its tiers, and no others", () => {
  assert.deepEqual(Object.keys(shipped.classes), [...priceClasses]);
  for (const name of priceClasses) {
    assert.deepEqual(Object.keys(shipped.classes[name].retrieval), tiersOf(name), name);
    assert.equal(shipped.classes[name].from.asOf, priceTable.asOf);
  }
});

Deno.test("the table that comes along, written to a file, is read as itself", () => {
  assert.deepEqual(parsePrices(JSON.stringify(priceTable), "prices.json"), shipped);
});

Deno.test("a file with one class changes this class alone, and says whose price is whose", () => {
  const prices = parsePrices(
    file({ classes: { GLACIER: changed("GLACIER", { storageGbMonth: 0.00405 }) } }),
    "prices.json",
  );
  assert.equal(prices.classes.GLACIER.storageGbMonth, 0.00405);
  assert.equal(prices.classes.GLACIER.from.region, "eu-central-1");
  for (const name of priceClasses.filter((name) => name !== "GLACIER")) {
    assert.deepEqual(prices.classes[name], shipped.classes[name]);
  }
  assert.deepEqual(prices.egress, shipped.egress);
  assert.deepEqual(priceSources(prices, ["DEEP_ARCHIVE", "STANDARD"]).map(({ region }) => region), ["us-east-1"]);
  assert.deepEqual(
    priceSources(prices, ["GLACIER", "STANDARD"]).map(({ region, asOf }) => `${region} ${asOf}`),
    ["eu-central-1 2027-01-02", "us-east-1 2026-06-18"],
  );
});

Deno.test("a file with egress alone changes egress alone", () => {
  const prices = parsePrices(file({ egress: { freeGb: 1, steps: [{ perGb: 0.2 }] } }), "prices.json");
  assert.deepEqual(prices.egress.steps, [{ upToGb: Infinity, perGb: 0.2 }]);
  assert.deepEqual(prices.classes, shipped.classes);
});

Deno.test("a misspelt or unknown member is refused by its path, with the names that are known", () => {
  refused(
    file({ classes: { GLACIER: changed("GLACIER", { storageGBMonth: 1 }) } }),
    /classes\.GLACIER\.storageGBMonth is not a member .*known are storageGbMonth,/,
  );
  refused(
    file({ classes: { ONEZONE_IA: {} } }),
    /classes\.ONEZONE_IA is not a member .*known are STANDARD, STANDARD_IA/,
  );
  refused(file({ class: {} }), /: class is not a member/);
  refused(file({ egress: { freeGb: 1, steps: [{ perGb: 1, from: 2 }] } }), /egress\.steps\[0\]\.from is not a member/);
  const deep = { ...priceTable.classes.DEEP_ARCHIVE.retrieval, expedited: { perGb: 1, requestsPer1000: 1 } };
  refused(
    file({ classes: { DEEP_ARCHIVE: changed("DEEP_ARCHIVE", { retrieval: deep }) } }),
    /retrieval\.expedited is not a member .*known are standard, bulk/,
  );
  refused(
    file({ classes: { STANDARD: changed("STANDARD", { retrieval: { bulk: {} } }) } }),
    /classes\.STANDARD\.retrieval\.bulk is not a member .*nothing may be here/,
  );
  refused(file({ classes: JSON.parse('{"__proto__": {}}') }), /classes\.__proto__ is not a member/);
});

Deno.test("a member that is missing, negative, huge or no number is refused by its path", () => {
  for (const value of [undefined, -1, "0.1", null, 1e300]) {
    refused(file({ classes: { VAULT: changed("VAULT", { putPer1000: value }) } }), /classes\.VAULT\.putPer1000 is /);
  }
  refused(
    file({ classes: { GLACIER: changed("GLACIER", { retrieval: undefined }) } }),
    /GLACIER\.retrieval is missing/,
  );
  refused(file({ classes: { VAULT: 5 } }), /classes\.VAULT is 5, not an object/);
  refused(file({ egress: { freeGb: 1, steps: [] } }), /egress\.steps is not a list of steps/);
  refused(
    file({ classes: { VAULT: changed("VAULT", { fromMemory: ["price"] }) } }),
    /VAULT\.fromMemory names "price"; known are/,
  );
});

Deno.test("steps of egress that do not rise, or that end, are refused", () => {
  const steps = (...steps: unknown[]) => file({ egress: { freeGb: 1, steps } });
  refused(
    steps({ upToGb: 5, perGb: 1 }, { upToGb: 5, perGb: 1 }, { perGb: 1 }),
    /steps\[1\]\.upToGb must be more than 5/,
  );
  refused(steps({ perGb: 1 }, { perGb: 1 }), /steps\[0\]\.upToGb is missing/);
  refused(steps({ upToGb: 5, perGb: 1 }), /steps\[0\]\.upToGb must be absent/);
});

Deno.test("a file that is no price table, or of another version, currency or day, is refused", () => {
  refused("{", /it is not JSON/);
  refused("[]", /all of it is \[\], not an object/);
  refused("{}", /format is not "tarzan prices"/);
  refused(file({ version: 2 }), /version is 2; this TARzan reads version 1/);
  refused(file({ currency: "EUR" }), /currency is not "USD"/);
  refused(file({ asOf: "2027-02-30" }), /asOf is "2027-02-30", not a day/);
  refused(file({ asOf: "May 2026" }), /asOf is "May 2026", not a day/);
  refused(file({ region: " " }), /region is " ", not a text/);
});

/** Cells of a Markdown table whose first heading is this. */
function tableOf(page: string, heading: string): string[][] {
  const rows = page.split("\n").map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const first = rows.findIndex((row) => row[0] === heading);
  const end = rows.findIndex((row, at) => at > first && row.length === 0);
  return rows.slice(first, end).filter((_, at) => at !== 1);
}

const page = await Deno.readTextFile(new URL("../../docs/PRICES.md", import.meta.url));

Deno.test("docs/PRICES.md shows the table that comes along, with its date and what is from memory", () => {
  const { classes, egress } = shipped;
  const cell = (name: keyof typeof classes, figure: string) => {
    const mark = classes[name].fromMemory.includes(figure.split(".")[0]!) ? " ?" : "";
    if (!figure.startsWith("retrieval.")) return `${classes[name][figure as "putPer1000"]}${mark}`;
    const tier = classes[name].retrieval[figure.split(".")[1] as "bulk"];
    return tier === undefined ? "–" : `${tier.perGb} + ${tier.requestsPer1000}${mark}`;
  };
  const figures = Object.keys(classes.GLACIER).filter((name) => !["retrieval", "fromMemory", "from"].includes(name));
  const rows = [...figures, "retrieval.expedited", "retrieval.standard", "retrieval.bulk"];
  assert.deepEqual(tableOf(page, "USD"), [
    ["USD", ...priceClasses],
    ...rows.map((figure) => [`\`${figure}\``, ...priceClasses.map((name) => cell(name, figure))]),
  ]);
  assert.deepEqual(tableOf(page, "Egress, GB in a month"), [
    ["Egress, GB in a month", "USD per GB"],
    [`the first ${egress.freeGb}`, "0"],
    ...egress.steps.map(({ upToGb, perGb }) => [upToGb === Infinity ? "above" : `up to ${upToGb}`, `${perGb}`]),
  ]);
  assert.ok(page.includes(`of ${priceTable.asOf} for ${priceTable.region}`));
});

Deno.test("the example of a table in docs/PRICES.md is one that is accepted", () => {
  const example = /```json\n([\s\S]*?)```/.exec(page)![1]!;
  const prices = parsePrices(example, "the example");
  assert.notDeepEqual(prices.classes.DEEP_ARCHIVE, shipped.classes.DEEP_ARCHIVE);
});
