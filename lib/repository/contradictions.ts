/**
 * Two records of one brick that contradict each other. Every machine of a domain can write into its ledger, under any time;
 * so neither the older nor the newer record is right because of that. The brick is: its name is the hash of its bytes, and its
 * own table of contents says what it holds. A machine that was taken over can therefore not talk earlier bricks away.
 */
import type { BrickRecord } from "../brick/mod.ts";
import { DamageError, UnsupportedError } from "../crypto/mod.ts";
import type { Brick } from "../catalog/mod.ts";
import { readBrickToc, sameToc } from "./brick_files.ts";
import { brickObject } from "./names.ts";
import type { Repository } from "./repository.ts";

/** Whether a record says something else about a brick than what is known of it. */
export function contradicts(
  record: BrickRecord,
  known: Pick<Brick, "kind" | "bytes" | "blocks" | "chunks">,
): boolean {
  return record.kind !== known.kind || record.bytes !== known.bytes || !sameToc(record.toc, known);
}

/** Which of two records of a brick is the true one; undefined where the brick cannot be asked, or agrees with neither. */
export async function trueRecord(
  repository: Repository,
  domain: string,
  records: { record: BrickRecord; known: Brick },
): Promise<"record" | "known" | undefined> {
  if (await isTrue(repository, domain, records.known)) return "known";
  const { record } = records;
  return await isTrue(repository, domain, { ...record, ...record.toc }) ? "record" : undefined;
}

async function isTrue(
  repository: Repository,
  domain: string,
  told: { name: string; kind: "D" | "M"; bytes: number; blocks: Uint8Array; chunks: Uint8Array },
): Promise<boolean> {
  const { name, kind, bytes } = told;
  const there = await repository.store.head(brickObject(kind, name));
  if (there?.size !== bytes) return false;
  try {
    return sameToc((await readBrickToc(repository, { name, kind, domain, bytes })).toc, told);
  } catch (error) {
    if (error instanceof DamageError || error instanceof UnsupportedError) return false;
    throw error;
  }
}
