/**
 * What cold storage costs. Prices change and differ between regions, so they are a dated table that users can override,
 * whole or a class at a time; docs/PRICES.md describes the file. Nothing in it may be misspelt in silence: an estimate
 * from half a table would be believed.
 */
import type { ColdClass, Tier } from "./cold.ts";
import { priceTable } from "./price_table.ts";
import { tiersOf } from "./tiers.ts";

/** What has a price: the classes of cold storage, and STANDARD for what is hot. */
export type PriceClass = "STANDARD" | ColdClass;

/** All of them, in the order in which people are shown them. */
export const priceClasses = ["STANDARD", "STANDARD_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE", "VAULT"] as const;

/** Whose prices they are, and of when. */
export interface PriceSource {
  /** `2026-06-18` */
  readonly asOf: string;
  readonly region: string;
  readonly source: string;
}

const figures = [
  ...["storageGbMonth", "putPer1000", "getPer1000", "listPer1000", "readPerGb", "minimumDays"],
  ...["minimumBillableBytes", "overheadBytes", "overheadStandardBytes", "copyGbMonth"],
] as const;

/** What a class costs, in USD; a GB is 2^30 bytes. */
export interface ClassPrices {
  readonly storageGbMonth: number;
  /** Storing an object, or an UPLOAD request of a vault. */
  readonly putPer1000: number;
  readonly getPer1000: number;
  readonly listPer1000: number;
  /** The fee for reading from a class that needs no thaw. */
  readonly readPerGb: number;
  /** What is removed earlier is paid for as if it had stayed. */
  readonly minimumDays: number;
  /** Smaller objects are billed as if they had this many bytes. */
  readonly minimumBillableBytes: number;
  /** What each object takes beside its own bytes, billed like them. */
  readonly overheadBytes: number;
  /** The same, billed as STANDARD. */
  readonly overheadStandardBytes: number;
  /** Readable copies of what was thawed. */
  readonly copyGbMonth: number;
  /** What a thaw costs, for the tiers that the class has. */
  readonly retrieval: Readonly<Partial<Record<Tier, { readonly perGb: number; readonly requestsPer1000: number }>>>;
  /** Members whose figures nobody has checked. */
  readonly fromMemory: readonly string[];
  readonly from: PriceSource;
}

/** What bytes cost that leave the provider's network, in a month. */
export interface EgressPrices {
  readonly freeGb: number;
  /** Rising; the last one has no end. Limits count from the first GB of the month, the free ones included. */
  readonly steps: readonly { readonly upToGb: number; readonly perGb: number }[];
  readonly fromMemory: readonly string[];
  readonly from: PriceSource;
}

/** A complete price table; each class says where its prices are from. */
export interface Prices {
  readonly classes: Readonly<Record<PriceClass, ClassPrices>>;
  readonly egress: EgressPrices;
}

/** The table that comes with TARzan. */
export function shippedPrices(): Prices {
  return prices(root(priceTable, "that comes with TARzan"), undefined);
}

/** The user's own table, over `base`; `what` names the file. Errors say which member is wrong and what is expected. */
export function parsePrices(text: string, what: string, base: Prices = shippedPrices()): Prices {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`Cannot use the price table ${what}: it is not JSON (${(error as Error).message})`, {
      cause: error,
    });
  }
  return prices(root(value, what), base);
}

/** Where the prices of these classes and of egress are from, each source once. */
export function priceSources(prices: Prices, classes: Iterable<PriceClass>): PriceSource[] {
  const all = [...[...classes].map((name) => prices.classes[name].from), prices.egress.from];
  return [...new Map(all.map((from) => [JSON.stringify(from), from])).values()];
}

/** A value of the file, and how to name it in an error. */
interface Node {
  readonly value: unknown;
  readonly path: string;
  readonly what: string;
}

function root(value: unknown, what: string): Node {
  return { value, path: "", what };
}

function prices(file: Node, base: Prices | undefined): Prices {
  const object = asObject(file);
  if (object.format !== "tarzan prices") throw wrong(at(file, "format"), 'is not "tarzan prices"');
  if (object.version !== 1) {
    throw wrong(at(file, "version"), `is ${shown(object.version)}; this TARzan reads version 1`);
  }
  only(file, ["format", "version", "asOf", "region", "currency", "source", "classes", "egress"]);
  if (object.currency !== "USD") throw wrong(at(file, "currency"), 'is not "USD"; estimates are in USD');
  const from = { asOf: date(at(file, "asOf")), region: text(at(file, "region")), source: text(at(file, "source")) };
  const given = at(file, "classes");
  if (given.value !== undefined) only(given, priceClasses);
  const classOf = (name: PriceClass): ClassPrices => {
    const node = at(given, name);
    if (node.value !== undefined) return classPrices(node, { name, from });
    if (base === undefined) throw wrong(node, "is missing");
    return base.classes[name];
  };
  const classes = Object.fromEntries(priceClasses.map((name) => [name, classOf(name)])) as Prices["classes"];
  const egress = at(file, "egress");
  if (egress.value !== undefined) return { classes, egress: egressPrices(egress, from) };
  if (base === undefined) throw wrong(egress, "is missing");
  return { classes, egress: base.egress };
}

function classPrices(node: Node, { name, from }: { name: PriceClass; from: PriceSource }): ClassPrices {
  only(node, [...figures, "retrieval", "fromMemory"]);
  const numbers = Object.fromEntries(figures.map((figure) => [figure, amount(at(node, figure))]));
  const tiers = tiersOf(name);
  const table = at(node, "retrieval");
  if (tiers.length > 0 || table.value !== undefined) only(table, tiers);
  const retrieval = Object.fromEntries(tiers.map((tier) => {
    const price = at(table, tier);
    only(price, ["perGb", "requestsPer1000"]);
    const { perGb, requestsPer1000 } = { perGb: at(price, "perGb"), requestsPer1000: at(price, "requestsPer1000") };
    return [tier, { perGb: amount(perGb), requestsPer1000: amount(requestsPer1000) }];
  }));
  const fromMemory = names(at(node, "fromMemory"), [...figures, "retrieval"]);
  return { ...numbers as Record<typeof figures[number], number>, retrieval, fromMemory, from };
}

function egressPrices(node: Node, from: PriceSource): EgressPrices {
  only(node, ["freeGb", "steps", "fromMemory"]);
  const list = at(node, "steps");
  if (!Array.isArray(list.value) || list.value.length === 0) throw wrong(list, "is not a list of steps");
  const last = list.value.length - 1;
  let before = 0;
  const steps = list.value.map((value, index) => {
    const step = { ...list, value, path: `${list.path}[${index}]` };
    only(step, ["upToGb", "perGb"]);
    const end = at(step, "upToGb");
    if (index === last && end.value !== undefined) throw wrong(end, "must be absent: the last step has no end");
    const upToGb = index === last ? Infinity : amount(end);
    if (upToGb <= before) throw wrong(end, `must be more than ${before}: steps rise`);
    before = upToGb;
    return { upToGb, perGb: amount(at(step, "perGb")) };
  });
  return {
    freeGb: amount(at(node, "freeGb")),
    steps,
    fromMemory: names(at(node, "fromMemory"), ["freeGb", "steps"]),
    from,
  };
}

function at(node: Node, name: string): Node {
  const { value } = node;
  const own = typeof value === "object" && value !== null && Object.hasOwn(value, name);
  const path = node.path === "" ? name : `${node.path}.${name}`;
  return { ...node, path, value: own ? (value as Record<string, unknown>)[name] : undefined };
}

/** Refuses members that are not in the list: most are misspelt. */
function only(node: Node, known: readonly string[]): void {
  const unknown = Object.keys(asObject(node)).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const choices = known.length === 0 ? "nothing may be here" : `known are ${known.join(", ")}`;
  throw wrong(at(node, unknown), `is not a member of a price table; ${choices}`);
}

function asObject(node: Node): Record<string, unknown> {
  if (typeof node.value !== "object" || node.value === null || Array.isArray(node.value)) {
    throw wrong(node, node.value === undefined ? "is missing" : `is ${shown(node.value)}, not an object`);
  }
  return node.value as Record<string, unknown>;
}

/** No price is anywhere near the bound; what is above it is a slip. */
function amount(node: Node): number {
  const { value } = node;
  if (typeof value === "number" && value >= 0 && value <= 1e9) return value;
  throw wrong(node, value === undefined ? "is missing" : `is ${shown(value)}, not a number from 0 up`);
}

function text(node: Node): string {
  if (typeof node.value === "string" && node.value.trim() !== "") return node.value;
  throw wrong(node, node.value === undefined ? "is missing" : `is ${shown(node.value)}, not a text`);
}

function date(node: Node): string {
  const day = text(node);
  const parsed = /^\d{4}-\d{2}-\d{2}$/.test(day) ? new Date(`${day}T00:00:00Z`) : undefined;
  if (parsed && !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(day)) return day;
  throw wrong(node, `is ${shown(day)}, not a day such as 2026-06-18`);
}

function names(node: Node, known: readonly string[]): string[] {
  if (node.value === undefined) return [];
  if (!Array.isArray(node.value)) throw wrong(node, `is ${shown(node.value)}, not a list of names`);
  const unknown = node.value.find((name) => !known.includes(name));
  if (unknown !== undefined) throw wrong(node, `names ${shown(unknown)}; known are ${known.join(", ")}`);
  return node.value;
}

function wrong(node: Node, why: string): Error {
  return new Error(`Cannot use the price table ${node.what}: ${node.path || "all of it"} ${why}`);
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? "missing";
  return json.length > 60 ? `${json.slice(0, 57)}…` : json;
}
