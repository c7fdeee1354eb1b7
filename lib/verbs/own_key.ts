/** A key that was kept outside of the repository: on paper, or in a file. */
import {
  inspectSlot,
  openSlot,
  parseBundle,
  parseIdentityFile,
  readSlotInput,
  recogniseKeyFile,
} from "../crypto/mod.ts";
import type { VerbSession } from "./session.ts";

/**
 * Which repository the key is of that was given with --identity; undefined where only a slot in the repository can tell. A
 * slot from paper that does not open is an error here, before anything is paid for.
 */
export async function repositoryOfOwnKey({ secrets }: VerbSession): Promise<string | undefined> {
  const what = "the key slot given with --identity";
  const texts = secrets.identities.map((text) => ({ text, kind: recogniseKeyFile(new TextEncoder().encode(text)) }));
  const bundle = texts.find(({ kind }) => kind === "bundle");
  if (bundle !== undefined) return parseBundle(bundle.text).repository;
  const paper = texts.find(({ kind }) => kind === "slot");
  if (paper === undefined) return undefined;
  const slot = await readSlotInput(paper.text, what);
  const opener = inspectSlot(slot, what).kind === "passphrase"
    ? { passphrase: await secrets.passphrase("to open the key slot", { confirm: false }) }
    : { identities: texts.flatMap(({ text, kind }) => kind === "identities" ? parseIdentityFile(text) : []) };
  return parseBundle(await openSlot(slot, opener, what)).repository;
}
