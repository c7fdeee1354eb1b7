/** Checks of ledgers: is each readable, and do they tell of every brick. */
import { learn, type Repository } from "../repository/mod.ts";
import type { VerifiedIndex } from "../snapshot/mod.ts";
import type { CheckedBrick } from "./verify_bricks.ts";
import type { Report } from "./verify_report.ts";
import type { VerbSession } from "./session.ts";

/** What the ledgers in the repository say, object by object. */
export interface Ledgers {
  domains: Set<string>;
  /** Domains and names of the bricks that they tell of. */
  told: Set<string>;
}

/** Reads the ledgers of all domains that these snapshots are in. */
export async function checkLedgers(
  session: VerbSession,
  { repository, indexes, report }: { repository: Repository; indexes: VerifiedIndex[]; report: Report },
): Promise<Ledgers> {
  const domains = new Set(indexes.map(({ domain }) => domain).concat(repository.keyring.defaultDomain.id));
  const told = new Set<string>();
  for (const domain of domains) {
    const problems = await learn(repository, domain, {
      whole: true,
      told: (record) => void (record.type === "brick" && told.add(`${domain} ${record.brick.name}`)),
      progress: (done, total) =>
        session.progress.update({ phase: "reading the ledger", itemsDone: done, itemsTotal: total }),
    });
    for (const { message } of problems) report.add("ledger", domain, message);
  }
  return { domains, told };
}

/** That the repository tells of every brick itself: what this machine's catalogue alone knows, another one cannot restore. */
export function checkTold(bricks: CheckedBrick[], { domains, told }: Ledgers, report: Report): void {
  const untold = new Map<string, number>();
  for (const { domain, name, ledgerObject, excluded } of bricks) {
    if (excluded.gone || !domains.has(domain) || told.has(`${domain} ${name}`)) continue;
    untold.set(ledgerObject, (untold.get(ledgerObject) ?? 0) + 1);
  }
  for (const [object, count] of untold) {
    report.add(
      "ledger",
      object,
      `Ledger object ${object} is missing or damaged: no other tells of ${count} bricks, which this machine still knows ` +
        'of. Run "tarzan rebuild", which puts them on record again',
    );
  }
}
