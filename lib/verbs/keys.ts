/** `key …`: more keys for a repository, and fewer. */
import {
  armorSlot,
  bundleHash,
  createListBundle,
  createWriteBundle,
  formatBundle,
  type FullBundle,
  isPostQuantum,
  type KeyBundle,
  parseBundle,
  pinCode,
  randomBytes,
  type Role,
  sealSlot,
  slotLabel,
  toHex,
  WrongKeyError,
} from "../crypto/mod.ts";
import { addSlot, listSlots, type StoredSlot } from "../repository/mod.ts";
import { type SlotChoice, slotSeals } from "./init.ts";
import { ownFolder } from "./local_state.ts";
import { open, type Opened } from "./open.ts";
import { openStore } from "./open_store.ts";
import { recoverySheet } from "./recovery_sheet.ts";
import type { VerbSession } from "./session.ts";

export interface KeyAddOptions extends SlotChoice {
  role: Role;
  domain: string | undefined;
  label: string | undefined;
  out: string | undefined;
}

export interface KeyAddResult {
  role: Role;
  domain: { id: string; name: string };
  /** The new slots in the repository, or the file with the key. */
  slots: string[];
  file?: string;
  code: string;
  passphrase?: string;
}

/** Makes a key: a slot in the repository, or for a write key a file that stays on one machine. */
export async function keyAdd(session: VerbSession, options: KeyAddOptions): Promise<KeyAddResult> {
  const opened = await open(session, { need: "control" });
  try {
    const full = parseBundle(opened.bundle) as FullBundle;
    const bundle = await bundleFor(full, options);
    const text = formatBundle(bundle);
    const result = { role: options.role, domain: bundle.domain, code: pinCode(bundleHash(text)) };
    const asked = options.recipients.length + options.recipientsFiles.length > 0;
    if (options.role === "write" && !asked) {
      return { ...result, slots: [], file: await writeKeyFile(session, text, bundle, options) };
    }
    const seals = await slotSeals(session, options, session.newSecrets);
    const secret = seals.passphrase === undefined ? {} : { passphrase: seals.passphrase };
    if (options.out !== undefined) {
      if (seals.slots.length > 1) {
        throw new Error(
          "A key file is sealed either to a passphrase or to recipients: add --no-passphrase, or leave out --recipient",
        );
      }
      await newFile(options.out, await sealSlot(text, seals.slots[0]!.to));
      return { ...result, ...secret, slots: [], file: options.out };
    }
    const slots: string[] = [];
    for (const { label, to } of seals.slots) {
      slots.push(await addSlot(opened.repository.store, { bundle: text, label: options.label ?? label, to }));
    }
    return { ...result, ...secret, slots };
  } finally {
    await opened.close();
  }
}

async function bundleFor(full: FullBundle, { role, domain, label }: KeyAddOptions): Promise<KeyBundle> {
  if (role === "full") return full;
  if (role === "list") return await createListBundle(full);
  return await createWriteBundle(full, domain ?? `${(label ?? "machine").slice(0, 23)}-${toHex(randomBytes(4))}`);
}

async function writeKeyFile(
  session: VerbSession,
  text: string,
  bundle: KeyBundle,
  { out, label }: KeyAddOptions,
): Promise<string> {
  const folder = `${session.places.config()}/keys`;
  if (out === undefined) await ownFolder(folder);
  const path = out ?? `${folder}/${label ?? bundle.domain.name}.key`;
  await newFile(path, new TextEncoder().encode(text));
  return path;
}

async function newFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await Deno.writeFile(path, bytes, { mode: 0o600, createNew: true });
  } catch (cause) {
    const why = cause instanceof Deno.errors.AlreadyExists
      ? "there is such a file already; a key is never overwritten"
      : (cause as Error).message;
    throw new Error(`Cannot write the key to ${path}: ${why}`, { cause });
  }
}

export interface KeyLine {
  name: string;
  label: string;
  sealedWith: string;
  postQuantum: boolean;
  problem?: string;
}

/** The key slots of the repository; needs no key. */
export async function keyList(session: VerbSession): Promise<KeyLine[]> {
  const store = await openStore(session);
  try {
    const { slots, problems } = await listSlots(store);
    return [
      ...slots.map(({ name, label, seal }) => ({
        name,
        label,
        sealedWith: seal.kind === "passphrase" ? "passphrase" : `recipients: ${seal.types.join(", ")}`,
        postQuantum: isPostQuantum(seal),
      })),
      ...problems.map(({ message }) => ({ name: "", label: "", sealedWith: "", postQuantum: false, problem: message })),
    ];
  } finally {
    await store.close();
  }
}

/**
 * Removes a slot, but never one without which nobody could open the repository with a full key. Only a full slot proves
 * that there is another: so the key that is used here must have come from a slot that stays.
 */
export async function keyRemove(session: VerbSession, options: { slot: string }): Promise<{ removed: string }> {
  const opened = await open(session, { need: "control" });
  try {
    const { store } = opened.repository;
    const { slots } = await listSlots(store);
    const slot = theSlot(slots, options.slot);
    if (opened.slot === undefined) {
      throw new WrongKeyError(
        "Open the repository with the slot that is to stay: a key file does not prove that a full slot would be left",
      );
    }
    if (opened.slot === slot.name) {
      throw new WrongKeyError(
        `Slot ${slot.name} is the one that you opened the repository with. Open it with another full slot ` +
          "(--identity or another passphrase) to remove this one: then it cannot be the last",
      );
    }
    await store.delete(slot.name);
    return { removed: slot.name };
  } finally {
    await opened.close();
  }
}

/** Seals a slot to a new passphrase: the new one is stored first. */
export async function keyPasswd(
  session: VerbSession,
  options: { slot: string | undefined; passphraseChoice: "ask" | "generate" },
): Promise<{ added: string; removed: string; passphrase?: string }> {
  const opened = await open(session);
  try {
    const { store } = opened.repository;
    const old = options.slot === undefined ? opened.slot : theSlot((await listSlots(store)).slots, options.slot).name;
    if (old === undefined) throw new WrongKeyError("A key file has no passphrase. Name the slot that is to change");
    if (old !== opened.slot) {
      throw new WrongKeyError(
        `Open the repository with slot ${old} to change its passphrase: it opened with ${opened.slot}`,
      );
    }
    const choice = { recipients: [], recipientsFiles: [], passphraseChoice: options.passphraseChoice };
    const { slots, passphrase } = await slotSeals(session, choice, session.newSecrets);
    const label = slotLabel(old)!;
    const added = await addSlot(store, { bundle: opened.bundle, label, to: slots[0]!.to });
    await store.delete(old);
    return { added, removed: old, ...(passphrase === undefined ? {} : { passphrase }) };
  } finally {
    await opened.close();
  }
}

/** The recovery sheet again. */
export async function keyShow(session: VerbSession): Promise<{ sheet: string; code: string }> {
  const opened: Opened = await open(session);
  try {
    const { store, config } = opened.repository;
    const { slots } = await listSlots(store);
    const texts = await Promise.all(slots.map(async ({ name, bytes }) => ({ name, text: await armorSlot(bytes) })));
    const code = pinCode(bundleHash(opened.bundle));
    const sheet = recoverySheet({ location: store.location, repository: config.repository, code, slots: texts });
    return { sheet, code };
  } finally {
    await opened.close();
  }
}

function theSlot(slots: StoredSlot[], wanted: string): StoredSlot {
  const found = slots.filter(({ name, label }) =>
    name === wanted || label === wanted || name.startsWith(`keys/${wanted}`) || name.startsWith(wanted)
  );
  if (found.length === 1) return found[0]!;
  throw new Error(
    found.length === 0
      ? `There is no key slot "${wanted}". "tarzan key list" shows them`
      : `"${wanted}" is the beginning of ${found.length} key slots. Write more of the name`,
  );
}
