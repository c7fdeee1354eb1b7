import { checksum, type ChecksumLine } from "../../verbs/mod.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import { printableLine } from "../printable.ts";
import type { Session } from "../session.ts";

/** `tarzan checksum`: each file's line is printed as soon as it and those before it are done. */
export async function performChecksum({ files, json }: RequestOf<"checksum">, session: Session): Promise<number> {
  const render = json ? checksumJson : renderChecksum;
  await checksum(session, { files, onFile: (line) => session.stdout.print(render(line)) });
  return 0;
}

/** SHA-256, tree hash, length and path. */
export function renderChecksum({ path, sha256, treeHash, length }: ChecksumLine): string {
  return `${sha256}  ${treeHash}  ${length}  ${printableLine(path)}\n`;
}

/** The same as JSON, schema `tarzan.checksum/1`. */
export function checksumJson({ path, sha256, treeHash, length }: ChecksumLine): string {
  return jsonLine("tarzan.checksum/1", { path, sha256, treeHash, bytes: length });
}
