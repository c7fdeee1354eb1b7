import { formatUsd } from "./money.ts";

/** Something would cost more than the user allowed. Exit code 9. */
export class CostCeilingError extends Error {
  override name = "CostCeilingError";
}

/** Money in USD, in parts and in `total`. */
export interface Cost {
  readonly total: number;
}

/** Throws CostCeilingError if an estimate is above what is allowed; undefined allows everything. */
export function checkCeiling<T extends Cost>(estimate: { readonly cost: T }, maxCost: number | undefined): void {
  if (maxCost === undefined) return;
  if (!(maxCost >= 0)) throw new RangeError(`A ceiling of ${maxCost} USD is no amount of money`);
  const { total, ...parts } = estimate.cost;
  if (total <= maxCost) return;
  const list = Object.entries(parts as Record<string, number>)
    .filter(([, usd]) => usd > 0)
    .map(([name, usd]) => `${name} ${formatUsd(usd)}`);
  throw new CostCeilingError(
    `This would cost about ${formatUsd(total)} USD${list.length > 1 ? ` (${list.join(", ")})` : ""}, ` +
      `and ${formatUsd(maxCost)} USD are allowed. Nothing was asked for. ` +
      `Allow more with --max-cost, or choose a slower tier or fewer files.`,
  );
}
