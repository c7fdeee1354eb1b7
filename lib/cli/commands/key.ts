import { refuseSeededRandomness } from "../../crypto/mod.ts";
import { type KeyLine, keyList, keyPasswd, keyRemove, keyShow } from "../../verbs/mod.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import { printable, printableLine } from "../printable.ts";
import type { Session } from "../session.ts";
import { passphraseNotice } from "./passphrase_notice.ts";
import { renderTable } from "./table.ts";

/** `tarzan key list`. */
export async function performKeyList({ json }: RequestOf<"key list">, session: Session): Promise<number> {
  const lines = await keyList(session);
  session.stdout.print(json ? lines.map(keyJson).join("") : renderKeys(lines));
  return 0;
}

/** Key slots as a table; below it, what is wrong with those that cannot be read. */
export function renderKeys(lines: readonly KeyLine[]): string {
  const table = renderTable(lines.filter(({ problem }) => problem === undefined), [
    { title: "SLOT", cell: ({ name }) => name },
    { title: "LABEL", cell: ({ label }) => label },
    { title: "POST-QUANTUM", cell: ({ postQuantum }) => postQuantum ? "yes" : "no" },
    { title: "SEALED WITH", cell: ({ sealedWith }) => sealedWith },
  ]);
  const problems = lines.map(({ problem }) => problem).filter((problem) => problem !== undefined);
  return table + problems.map((problem) => `${printableLine(problem)}\n`).join("");
}

/** A key slot as JSON, schema `tarzan.key/1`. */
export function keyJson({ name, label, sealedWith, postQuantum, problem }: KeyLine): string {
  return jsonLine("tarzan.key/1", problem === undefined ? { slot: name, label, sealedWith, postQuantum } : { problem });
}

/** `tarzan key remove`. */
export async function performKeyRemove(
  { slot, json }: RequestOf<"key remove">,
  session: Session,
): Promise<number> {
  const { removed } = await keyRemove(session, { slot });
  session.stdout.print(json ? jsonLine("tarzan.key-remove/1", { removed }) : `Removed ${removed}.\n`);
  session.note("This revokes nothing: whoever kept a copy of the slot and can open it still has its key.");
  return 0;
}

/** `tarzan key passwd`. */
export async function performKeyPasswd(request: RequestOf<"key passwd">, session: Session): Promise<number> {
  refuseSeededRandomness();
  const { slot, passphraseChoice, json } = request;
  const { added, removed, passphrase } = await keyPasswd(session, { slot, passphraseChoice });
  if (json) session.stdout.print(jsonLine("tarzan.key-passwd/1", { added, removed, passphrase }));
  else session.stdout.print(`Slot ${added} has the new passphrase; ${removed} is removed.\n`);
  if (passphrase !== undefined && !json) session.tell(passphraseNotice(passphrase));
  session.note("This revokes nothing: whoever kept a copy of the old slot can open it with the old passphrase.");
  return 0;
}

/** `tarzan key show`. */
export async function performKeyShow({ json }: RequestOf<"key show">, session: Session): Promise<number> {
  const { sheet, code } = await keyShow(session);
  session.stdout.print(json ? jsonLine("tarzan.key-show/1", { code, sheet }) : printable(sheet));
  return 0;
}
