import { isName, refuseSeededRandomness } from "../../crypto/mod.ts";
import { keyAdd, type KeyAddResult } from "../../verbs/mod.ts";
import { UsageError } from "../errors.ts";
import type { RequestOf } from "../grammar/mod.ts";
import { jsonLine } from "../json.ts";
import type { Session } from "../session.ts";
import { renderFacts } from "./facts.ts";
import { passphraseNotice } from "./passphrase_notice.ts";

/** `tarzan key add`. */
export async function performKeyAdd(request: RequestOf<"key add">, session: Session): Promise<number> {
  refuseSeededRandomness();
  checkWords(request);
  // A write key is a file that lets a machine work unattended: nobody is asked for a passphrase.
  const passphraseChoice = request.role === "write" ? "none" : request.passphraseChoice;
  const result = await keyAdd(session, { ...request, passphraseChoice });
  if (request.json) {
    session.stdout.print(addedJson(result));
    return 0;
  }
  session.stdout.print(renderAdded(result));
  if (result.passphrase !== undefined) session.tell(passphraseNotice(result.passphrase));
  return 0;
}

/** Refuses what would be taken in silence and have no effect, and names that cannot be. */
function checkWords(request: RequestOf<"key add">): void {
  const { role, domain, label } = request;
  if (role !== "write" && domain !== undefined) {
    throw new UsageError(`--domain is for a write key; a ${role} key is for all domains.`);
  }
  const ownPassphrase = request.passphraseChoice === "generate" || request.newPassphraseFile !== undefined ||
    request.newPassphraseCommand !== undefined;
  if (role === "write" && ownPassphrase) {
    throw new UsageError(
      "A write key has no passphrase, so that backups can run unattended. Protect its file, or seal it with --recipient AGE.",
    );
  }
  for (const [option, name] of [["--domain", domain], ["--label", label]] as const) {
    if (name === undefined || isName(name)) continue;
    throw new UsageError(`"${name}" cannot be a ${option}: take 1 to 32 of a-z, 0-9 and "-", not "-" first.`);
  }
}

/** A new key, for people. */
export function renderAdded({ role, domain, slots, file, code }: KeyAddResult): string {
  const isPlainFile = role === "write" && file !== undefined;
  return renderFacts([
    ["role", role],
    ["domain", role === "write" ? domain.name : undefined],
    ...slots.map((slot) => ["slot", slot] as const),
    ["file", file],
    ["code", `${code}  (give it with --pin on a machine that has not seen this key)`],
    ["use", file === undefined ? undefined : `--identity ${file}`],
    ["careful", isPlainFile ? "the file is not encrypted; whoever has it can add backups" : undefined],
  ]);
}

/** A new key as JSON, schema `tarzan.key-add/1`. */
export function addedJson({ role, domain, slots, file, code, passphrase }: KeyAddResult): string {
  return jsonLine("tarzan.key-add/1", { role, domain, slots, file, code, passphrase });
}
