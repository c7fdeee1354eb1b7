/** `inspect`: what a file of a repository says of itself without a key. Nothing of it is proved. */
import {
  brickFileBytes,
  FIXED_HEADER_BYTES,
  HEADER_MAGIC,
  headerLength,
  LEDGER_OBJECT_LIMIT,
  parseHeader,
  parseLedgerHeader,
  parseTrailer,
  TRAILER_BYTES,
} from "../brick/mod.ts";
import { DamageError, inspectSlot, isPostQuantum, parseUnverified, toHex } from "../crypto/mod.ts";

/** Facts in the order in which to show them. */
export interface InspectResult {
  kind: string;
  facts: { label: string; value: string | number | boolean | null }[];
}

const JSON_LIMIT_BYTES = 16 * 1024 * 1024;

/** Reads a brick, slot, ledger object, index, record or tarzan.json. */
export async function inspect(path: string): Promise<InspectResult> {
  const file = await Deno.open(path).catch((cause) => {
    throw new Error(`Cannot read ${path}: ${(cause as Error).message}`, { cause });
  });
  try {
    const { size, isFile } = await file.stat();
    if (!isFile) throw new Error(`Cannot inspect ${path}: it is no file`);
    const start = await readAt(file, 0, Math.min(size, 20 * 1024));
    const magic = new TextDecoder("latin1").decode(start.subarray(0, 8));
    if (magic.startsWith(HEADER_MAGIC.slice(0, 7))) return await inspectBrick(file, { path, size, start });
    if (magic.startsWith("TARZANL")) return inspectLedger({ path, size, start });
    if (magic.startsWith("age-encr")) return inspectSlotFile(await readAt(file, 0, Math.min(size, 70_000)), path);
    if (magic.startsWith("{") && size <= JSON_LIMIT_BYTES) return inspectJson(await readAt(file, 0, size), path);
    throw new DamageError(
      `Cannot inspect ${path}: it is nothing that tarzan writes (a brick, ledger object, slot or index)`,
    );
  } finally {
    file.close();
  }
}

async function readAt(file: Deno.FsFile, from: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  await file.seek(from, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) break;
    at += count;
  }
  return bytes.slice(0, at);
}

interface Opened {
  path: string;
  size: number;
  start: Uint8Array<ArrayBuffer>;
}

async function inspectBrick(file: Deno.FsFile, { path, size, start }: Opened): Promise<InspectResult> {
  const header = parseHeader(start, path);
  const end = await readAt(file, Math.max(0, size - TRAILER_BYTES), TRAILER_BYTES);
  const tocBytes = parseTrailer(end, path);
  const between = size - header.bytes.length - tocBytes - TRAILER_BYTES;
  return {
    kind: "brick",
    facts: [
      { label: "holds", value: header.kind === "D" ? "data (bodies)" : "meta (recipes)" },
      { label: "format", value: HEADER_MAGIC },
      { label: "domain", value: toHex(header.domain) },
      { label: "bytes", value: size },
      { label: "wrapped key", value: `age file, bytes ${FIXED_HEADER_BYTES} to ${header.bytes.length - 33}` },
      { label: "header bytes", value: headerLength(start, path) },
      { label: "blocks and padding bytes", value: between },
      { label: "toc frame bytes", value: tocBytes },
      { label: "chunks at most", value: Math.floor((tocBytes - 24) / 36) },
      { label: "size is a step", value: brickFileBytes(size) === size },
    ],
  };
}

function inspectLedger({ path, size, start }: Opened): InspectResult {
  if (size > LEDGER_OBJECT_LIMIT) throw new DamageError(`Cannot inspect ${path}: it is ${size} bytes long`);
  // The whole length matters to the form, the bytes behind the header are sealed.
  const whole = new Uint8Array(size);
  whole.set(start.subarray(0, Math.min(size, start.length)));
  const { domain } = parseLedgerHeader(whole, path);
  return { kind: "ledger object", facts: [{ label: "domain", value: toHex(domain) }, { label: "bytes", value: size }] };
}

function inspectSlotFile(bytes: Uint8Array, path: string): InspectResult {
  const seal = inspectSlot(bytes, path);
  const how = seal.kind === "passphrase"
    ? { label: "opens with", value: `a passphrase (scrypt, 2^${seal.workFactor} rounds)` }
    : { label: "opens with", value: `an age identity of: ${seal.types.join(", ")}` };
  return {
    kind: "key slot (age file)",
    facts: [how, { label: "post-quantum", value: isPostQuantum(seal) }, { label: "bytes", value: bytes.length }],
  };
}

function inspectJson(bytes: Uint8Array, path: string): InspectResult {
  const json = parseUnverified(bytes, path);
  if (json.format === "tarzan key") throw new DamageError(`${path} is a key file: it is secret, and is not shown`);
  const facts = Object.entries(json).filter(([label]) => label !== "format" && label !== "mac").map(
    ([label, value]) => {
      if (label === "sealed") return { label, value: `${String(value).length} characters of base64 (age file)` };
      return { label, value: typeof value === "object" ? JSON.stringify(value) : value as string | number | boolean };
    },
  );
  return { kind: typeof json.format === "string" ? json.format : "JSON", facts };
}
