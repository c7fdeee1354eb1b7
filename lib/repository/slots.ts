/** The key slots of a repository: listing, adding and removing them, and opening the one that a caller has a key for. */
import {
  checkSlotName,
  DamageError,
  inspectSlot,
  openSlot,
  sealSlot,
  SLOT_LIMIT_BYTES,
  type SlotFor,
  slotLabel,
  slotName,
  type SlotSeal,
  UnsupportedError,
  WrongKeyError,
} from "../crypto/mod.ts";
import type { Store } from "../store/mod.ts";
import { readBounded } from "./bounded.ts";
import { KEYS_PREFIX } from "./names.ts";
import { putOwn } from "./put_own.ts";

/** Slots that a reader looks at. */
const MOST_SLOTS = 64;

/** A slot as it is stored, unopened. */
export interface StoredSlot {
  name: string;
  label: string;
  bytes: Uint8Array<ArrayBuffer>;
  seal: SlotSeal;
}

/**
 * The slots, oldest first, and what is wrong with those that cannot be read. Anybody who can write into the store can add
 * some: those that were there before come first, so that the others cannot crowd them out.
 */
export async function listSlots(store: Store): Promise<{ slots: StoredSlot[]; problems: Error[] }> {
  const slots: StoredSlot[] = [];
  const problems: Error[] = [];
  const listed = (await Array.fromAsync(store.list(KEYS_PREFIX))).filter(({ name }) => slotLabel(name) !== undefined);
  listed.sort((a, b) => a.modifiedAt.getTime() - b.modifiedAt.getTime());
  for (const { name } of listed.slice(0, MOST_SLOTS)) {
    const label = slotLabel(name)!;
    try {
      const bytes = await readBounded(store, name, { limit: SLOT_LIMIT_BYTES, what: `key slot ${name}` });
      checkSlotName(name, bytes);
      slots.push({ name, label, bytes, seal: inspectSlot(bytes, `key slot ${name}`) });
    } catch (error) {
      if (!(error instanceof DamageError || error instanceof UnsupportedError)) throw error;
      problems.push(error);
    }
  }
  return { slots, problems };
}

/** A bundle in a new slot that is stored nowhere yet. */
export async function makeSlot(
  options: { bundle: string; label: string; to: SlotFor },
): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
  const bytes = await sealSlot(options.bundle, options.to);
  return { name: slotName(options.label, bytes), bytes };
}

/** Stores a bundle in a new slot; its name. */
export async function addSlot(store: Store, options: { bundle: string; label: string; to: SlotFor }): Promise<string> {
  const { name, bytes } = await makeSlot(options);
  await putOwn(store, name, bytes);
  return name;
}

/** How a caller opens slots. A passphrase is asked for only when a slot needs one. */
export interface SlotKeys {
  identities: string[];
  passphrase: () => Promise<string>;
  /** Only slots with this label (or this name). */
  only?: string;
}

/** An opened slot. */
export interface OpenedSlot {
  name: string;
  bundle: string;
  /** Anyone can seal to a public recipient: such a slot proves nothing about who made it. */
  proved: boolean;
}

/**
 * Opens the slots that these keys open; the first that passes `accept` wins, the others are passed over: a stranger's slot
 * must not keep anybody from a good one, whatever is in it. Recipient slots are tried first, then passphrase slots: each of
 * those costs a second.
 */
export async function openFirstSlot(
  store: Store,
  options: { keys: SlotKeys; accept: (slot: OpenedSlot) => Promise<boolean> },
): Promise<OpenedSlot> {
  const { keys, accept } = options;
  const { slots, problems } = await listSlots(store);
  const wanted = slots.filter(({ label, name }) =>
    keys.only === undefined || keys.only === label || keys.only === name
  );
  const failures: SlotFailures = { unopened: [], refused: [] };
  const attempt = async (slot: StoredSlot, opener: Parameters<typeof openSlot>[1]): Promise<OpenedSlot | undefined> => {
    let kind: keyof SlotFailures = "unopened";
    try {
      const bundle = await openSlot(slot.bytes, opener, `key slot ${slot.name}`);
      kind = "refused";
      const opened = { name: slot.name, bundle, proved: slot.seal.kind === "passphrase" };
      return await accept(opened) ? opened : undefined;
    } catch (error) {
      const isTheSlots = error instanceof WrongKeyError || error instanceof DamageError ||
        error instanceof UnsupportedError;
      if (!isTheSlots) throw error;
      failures[kind].push(error);
      return undefined;
    }
  };
  if (keys.identities.length > 0) {
    for (const slot of wanted.filter(({ seal }) => seal.kind === "recipients")) {
      const opened = await attempt(slot, { identities: keys.identities });
      if (opened !== undefined) return opened;
    }
  }
  const locked = wanted.filter(({ seal }) => seal.kind === "passphrase");
  if (locked.length > 0) {
    const passphrase = await keys.passphrase().catch((error) => {
      // A key that fits and was not accepted is what the user can do something about, not the other one that is not there.
      throw failures.refused.find((refusal) => refusal instanceof WrongKeyError) ?? error;
    });
    for (const slot of locked) {
      const opened = await attempt(slot, { passphrase });
      if (opened !== undefined) return opened;
    }
  }
  throw noSlot({ store, wanted, problems, failures });
}

/** Why slots were of no use: they did not open, or what was in them was not accepted. */
interface SlotFailures {
  unopened: Error[];
  refused: Error[];
}

function noSlot(
  found: { store: Store; wanted: StoredSlot[]; problems: Error[]; failures: SlotFailures },
): Error {
  const { store, wanted, problems } = found;
  const { unopened, refused } = found.failures;
  // A slot that this key opens, and whose pin was not accepted, is what the user can do something about.
  const unpinned = refused.find((error) => error instanceof WrongKeyError);
  const telling = unpinned ?? [...refused, ...unopened].find((error) => !(error instanceof WrongKeyError));
  if (telling !== undefined) return telling;
  const last = unopened.at(-1);
  if (last !== undefined) {
    return wanted.length === 1 ? last : new WrongKeyError(
      `None of the ${wanted.length} key slots in ${store.location} opens with this key. ${last.message}`,
    );
  }
  if (problems.length > 0) return problems[0]!;
  return wanted.length === 0
    ? new WrongKeyError(
      `There is no key slot in ${store.location}. Give a key file or a slot from your recovery sheet with --identity`,
    )
    : new WrongKeyError(
      `The key slots in ${store.location} are sealed to age recipients. Give your age identity file with --identity`,
    );
}
