/** Bytes and months as they are billed, and money as it is shown. */

/** What is billed as a GB: 2^30 bytes. */
export const GB_BYTES = 1024 ** 3;

/** A month, for what is billed by the month and lasts days. */
export const MONTH_DAYS = 30;

/** What an amount of bytes costs at a price for a GB. */
export function perGb(bytes: number, usd: number): number {
  return bytes / GB_BYTES * usd;
}

/** What a number of requests costs at a price for 1,000. */
export function per1000(requests: number, usd: number): number {
  return requests / 1000 * usd;
}

/**
 * USD for people, rounded up so that nothing costs more than is shown: `83.17`; under 10 cents with the digits that say
 * something, `0.0034`; `under 0.0001`.
 */
export function formatUsd(usd: number): string {
  if (usd > 0 && usd < 0.0001) return "under 0.0001";
  const digits = usd > 0 && usd < 0.1 ? 4 : 2;
  // What is a hair above a digit is so by the arithmetic of binary fractions.
  const scaled = Math.ceil(usd * 10 ** digits - 1e-6);
  return (scaled / 10 ** digits).toFixed(digits).replace(/(\.\d\d)(\d*?)0+$/, "$1$2");
}
