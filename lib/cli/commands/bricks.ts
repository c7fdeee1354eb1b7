import { type BrickLine, bricks } from "../../verbs/mod.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import type { Session } from "../session.ts";

/** `tarzan bricks`. */
export async function performBricks({ backup, json }: RequestOf<"bricks">, session: Session): Promise<number> {
  const lines = await bricks(session, { snapshot: backup });
  session.progress.done();
  session.stdout.print(lines.map(json ? brickJson : checkLine).join(""));
  return 0;
}

/** A brick as `sha256sum -c` reads it, below the repository: its name is its SHA-256. */
export function checkLine({ name, object }: BrickLine): string {
  return `${name}  ${object}\n`;
}

/** A brick as JSON, schema `tarzan.brick/1`. */
export function brickJson({ name, object, kind, bytes, treeHash }: BrickLine): string {
  return jsonLine("tarzan.brick/1", { sha256: name, object, kind: kind === "D" ? "data" : "meta", bytes, treeHash });
}
