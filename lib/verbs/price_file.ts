/** Prices as the user knows them: the table that comes with TARzan, under what `prices.json` in the configuration says. */
import { parsePrices, type PriceClass, priceClasses, type Prices, shippedPrices } from "../glacier/mod.ts";
import { bucketLocation, isBucketLocation, parseBucketLocation } from "../store/mod.ts";
import { readBucketSettings } from "./bucket_settings.ts";
import type { VerbSession } from "./session.ts";

/** The price table that holds for this user. */
export async function readPrices(config: string): Promise<Prices> {
  const path = `${config}/prices.json`;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return shippedPrices();
    throw new Error(`Cannot read the price table ${path}: ${(error as Error).message}`, { cause: error });
  }
  return parsePrices(text, path);
}

/** The classes of what lies in the hot store, as this machine writes it; undefined for a disk, which has no price. */
export async function hotClasses(
  session: VerbSession,
  location: string,
): Promise<{ data: PriceClass; meta: PriceClass } | undefined> {
  if (!isBucketLocation(location)) return undefined;
  const remembered = await readBucketSettings(session.places.config(), bucketLocation(parseBucketLocation(location)));
  const { dataClass, metaClass } = { ...remembered, ...session.bucket };
  return { data: priceClass(dataClass), meta: priceClass(metaClass) };
}

/** Classes without prices of their own (of other providers, or newer than the table) count as STANDARD, the dearest. */
function priceClass(name: string | undefined): PriceClass {
  return priceClasses.find((known) => known === name) ?? "STANDARD";
}
