/** `init`: makes a repository with a first key slot, and the sheet to keep on paper. */
import {
  armorSlot,
  bundleHash,
  createFullBundle,
  formatBundle,
  generatePassphrase,
  pinCode,
  randomBytes,
  refuseSeededRandomness,
  type SlotFor,
  toHex,
} from "../crypto/mod.ts";
import { parseColdLocation } from "../glacier/mod.ts";
import { checkPin, CONFIG_NAME, formatConfig, makeSlot } from "../repository/mod.ts";
import { ExistsError, isBucketLocation, type Store } from "../store/mod.ts";
import { refuseSamePlace } from "./cold_run.ts";
import { pinOptions } from "./open.ts";
import { createStore } from "./open_store.ts";
import { recoverySheet } from "./recovery_sheet.ts";
import { rememberSettings } from "./settings.ts";
import type { VerbSession } from "./session.ts";

/** How a new slot is to be sealed. */
export interface SlotChoice {
  recipients: readonly string[];
  recipientsFiles: readonly string[];
  passphraseChoice: "ask" | "generate" | "none";
}

export interface InitOptions extends SlotChoice {
  chunkSizes: { min: number; average: number; max: number };
  /** How this machine will write bricks; undefined: as usual. */
  level?: number | undefined;
  brickSizeBytes?: number | undefined;
  /** Where data bricks go to sleep. */
  cold?: string | undefined;
}

export interface InitResult {
  repository: string;
  location: string;
  cold?: string;
  slots: string[];
  code: string;
  /** Only when it was generated. */
  passphrase?: string;
  sheet: string;
}

/** The name of the domain that a new repository begins with. */
const FIRST_DOMAIN = "default";

/** Makes a repository at the session's place. */
export async function init(session: VerbSession, options: InitOptions): Promise<InitResult> {
  refuseSeededRandomness();
  const location = session.places.repository();
  const { cold } = options;
  if (cold !== undefined) parseColdLocation(cold);
  const seals = await slotSeals(session, options, session.secrets);
  const repository = toHex(randomBytes(16));
  const config = formatConfig({
    ...{ repository, created: session.now().toISOString(), chunks: options.chunkSizes },
    ...(cold !== undefined && { cold }),
  });
  const bundle = formatBundle(await createFullBundle({ repository, config, domainName: FIRST_DOMAIN }));
  // Everything that can fail for a wrong option comes before the first byte is written.
  const slots = await Promise.all(seals.slots.map(({ label, to }) => makeSlot({ bundle, label, to })));
  const store = await createStore(session, location);
  try {
    if (cold !== undefined) refuseSamePlace({ store }, cold);
    for (const { name, bytes } of slots) await store.put(name, bytes, { once: true });
    await store.put(CONFIG_NAME, new TextEncoder().encode(config), { once: true });
    if (isBucketLocation(location)) await warnIfOverwritten(session, store, config);
    await checkPin({ bundle, repository, proved: true }, pinOptions(session, store));
    const { level, brickSizeBytes } = options;
    await rememberSettings(session.places.config(), repository, { level, brickSizeBytes });
    const code = pinCode(bundleHash(bundle));
    const texts = await Promise.all(slots.map(async ({ name, bytes }) => ({ name, text: await armorSlot(bytes) })));
    const place = { location: placeOnPaper(session, store), ...(cold !== undefined && { cold }) };
    const sheet = recoverySheet({ ...place, repository, code, slots: texts });
    const names = slots.map(({ name }) => name);
    const secret = seals.passphrase === undefined ? {} : { passphrase: seals.passphrase };
    const where = { location: store.location, ...(cold !== undefined && { cold }) };
    return { repository, ...where, slots: names, code, sheet, ...secret };
  } finally {
    await store.close();
  }
}

/** A place with all that is needed to find it again from another machine. */
function placeOnPaper({ bucket }: VerbSession, { location }: Store): string {
  const more = [
    ...(bucket?.endpoint === undefined ? [] : [`--endpoint ${bucket.endpoint}`]),
    ...(bucket?.region === undefined ? [] : [`--region ${bucket.region}`]),
  ];
  return isBucketLocation(location) ? [location, ...more].join(" ") : location;
}

/** Some servers store over what is there though they are asked not to: better to know before there are backups. */
async function warnIfOverwritten(session: VerbSession, store: Store, config: string): Promise<void> {
  try {
    await store.put(CONFIG_NAME, new TextEncoder().encode(config), { once: true });
  } catch (error) {
    if (error instanceof ExistsError) return;
    throw error;
  }
  session.warn(
    `${store.location} overwrites what is there though it is asked not to (If-None-Match). Backups work, but nothing ` +
      "protects them from a machine that was taken over: use a server with conditional writes, or Object Lock",
  );
}

/** The slots that a choice asks for, with labels; and the passphrase, if one was generated. */
export async function slotSeals(
  session: VerbSession,
  choice: SlotChoice,
  secrets: VerbSession["secrets"],
): Promise<{ slots: { label: string; to: SlotFor }[]; passphrase?: string }> {
  const recipients = [...choice.recipients];
  for (const path of choice.recipientsFiles) recipients.push(...await readRecipients(path));
  const slots: { label: string; to: SlotFor }[] = [];
  if (recipients.length > 0) {
    slots.push({ label: "recipients", to: { recipients } });
    warnOfClassical(session, recipients);
  }
  if (choice.passphraseChoice === "none") {
    if (slots.length === 0) throw new Error("A key without a passphrase needs a recipient: give --recipient AGE");
    return { slots };
  }
  const passphrase = choice.passphraseChoice === "generate"
    ? generatePassphrase()
    : await secrets.passphrase("for the new key slot", { confirm: true });
  slots.unshift({ label: "passphrase", to: { passphrase } });
  return choice.passphraseChoice === "generate" ? { slots, passphrase } : { slots };
}

function warnOfClassical(session: VerbSession, recipients: string[]): void {
  if (recipients.every((recipient) => recipient.startsWith("age1pq1"))) return;
  session.warn(
    "A recipient of this slot is not post-quantum (age1pq1…): whoever stores the repository today and has a quantum " +
      "computer one day could open it",
  );
}

async function readRecipients(path: string): Promise<string[]> {
  const text = await Deno.readTextFile(path).catch((cause) => {
    throw new Error(`Cannot read the recipients in ${path}: ${(cause as Error).message}`, { cause });
  });
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
  if (lines.length === 0) throw new Error(`There is no recipient in ${path}`);
  return lines;
}
