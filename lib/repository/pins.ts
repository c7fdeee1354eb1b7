/**
 * Pins: what this machine remembers of the key of each repository it has used, in the user's configuration (a catalogue may
 * be deleted, a pin should not). A key that was sealed by somebody else, for the same place, is then refused.
 */
import {
  bundleHash,
  equalBytes,
  fromHex,
  isHex,
  pinCode,
  pinMatches,
  sha256,
  toHex,
  WrongKeyError,
} from "../crypto/mod.ts";

/** Where pins are, and how a person confirms a first contact. */
export interface PinOptions {
  /** Folder of the pins. */
  folder: string;
  location: string;
  /** What the user gave with --pin. */
  code?: string;
  /** Shows a code and asks whether it is the right one; undefined where nobody can be asked. */
  confirm?: (code: string) => Promise<boolean>;
}

interface Pin {
  location: string;
  repository: string;
  bundle: string;
}

/**
 * Accepts or refuses an opened key. `proved`: it was sealed with a passphrase, so only somebody who knows that made it. A
 * first contact through any other slot needs the code that `tarzan init` printed.
 */
export async function checkPin(
  key: { bundle: string; repository: string; proved: boolean },
  options: PinOptions,
): Promise<void> {
  const hash = bundleHash(key.bundle);
  if (options.code !== undefined && !pinMatches(options.code, hash)) {
    throw new WrongKeyError(
      `The key of ${options.location} has the code ${pinCode(hash)}, not the one given with --pin. ` +
        "Somebody may have put another key there; compare with your recovery sheet",
    );
  }
  const path = `${options.folder}/${toHex(sha256(options.location)).slice(0, 32)}.json`;
  const pins = await readPins(path);
  const known = pins.find((pin) => pin.repository === key.repository);
  if (pins.some((pin) => equalBytes(fromHex(pin.bundle), hash))) return;
  if (pins.length > 0 && known === undefined) {
    throw new WrongKeyError(
      `${options.location} holds repository ${key.repository.slice(0, 16)}…, but this machine knows ` +
        `${pins[0]!.repository.slice(0, 16)}… there. If you replaced it yourself, remove ${path}`,
    );
  }
  const sure = key.proved || options.code !== undefined || await options.confirm?.(pinCode(hash));
  if (!sure) {
    throw new WrongKeyError(
      `The key of ${options.location} has the code ${pinCode(hash)}, which this machine has not seen before. ` +
        `Compare it with your recovery sheet and give it with --pin`,
    );
  }
  await writePins(path, [...pins, { location: options.location, repository: key.repository, bundle: toHex(hash) }]);
}

async function readPins(path: string): Promise<Pin[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const pins = parsePins(text);
  if (pins === undefined) {
    throw new WrongKeyError(`Cannot read the pins in ${path}. Remove the file and confirm the code of your key again`);
  }
  return pins;
}

function parsePins(text: string): Pin[] | undefined {
  const isPin = (pin: Pin) => typeof pin?.location === "string" && isHex(pin.repository, 16) && isHex(pin.bundle, 32);
  try {
    const pins: unknown = JSON.parse(text);
    return Array.isArray(pins) && pins.every(isPin) ? pins : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function writePins(path: string, pins: Pin[]): Promise<void> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${toHex(crypto.getRandomValues(new Uint8Array(4)))}`;
  {
    using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(JSON.stringify(pins) + "\n");
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    // A pin that a power loss turned into an empty file would keep its owner out.
    await file.sync();
  }
  await Deno.rename(temporary, path);
}
