/** The golden repository of version 1 (see make_golden.ts), opened piece by piece. */
import {
  type BrickHeader,
  type BrickKind,
  checkHeader,
  openToc,
  paddingOffset,
  parseHeader,
  parseTrailer,
  type Toc,
  tocBlocks,
} from "../../lib/brick/mod.ts";
import { deriveKey, Opener, toHex, unwrapKey } from "../../lib/crypto/mod.ts";
import { exampleKeyring } from "./example.ts";

const ROOT_URL = new URL("../golden/format-1/", import.meta.url);

async function theOnly(folder: string): Promise<string> {
  const names = await Array.fromAsync(Deno.readDir(new URL(folder, ROOT_URL)));
  if (names.length !== 1) throw new Error(`${folder} of the golden repository holds ${names.length} objects`);
  return names[0]!.name;
}

const domain = await theOnly("index/");
const indexName = await theOnly(`index/${domain}/`);

/** Where its objects are, as names in the repository. */
export const golden = {
  url: ROOT_URL,
  domain,
  index: `index/${domain}/${indexName}`,
  snapshot: indexName.replace(/\.json$/, ""),
  ledger: `ledger/${domain}/${await theOnly(`ledger/${domain}/`)}`,
  slot: `keys/${await theOnly("keys/")}`,
  read: async (name: string): Promise<Uint8Array<ArrayBuffer>> => await Deno.readFile(new URL(name, ROOT_URL)),
};

/** Everything in one of its two bricks. */
export interface GoldenBrick {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  header: BrickHeader;
  n: number;
  key: Uint8Array;
  tocKey: Uint8Array;
  toc: Toc;
  plainToc: Uint8Array;
  blocks: { at: number; sealedLength: number; rawLength: number; codec: number; chunks: number[] }[];
  paddingAt: number;
  tocAt: number;
  trailer: Uint8Array;
}

export async function openGoldenBrick(kind: BrickKind): Promise<GoldenBrick> {
  const folder = kind === "D" ? "bricks/" : "meta/";
  const fan = await theOnly(folder);
  const name = await theOnly(`${folder}${fan}/`);
  const what = `golden brick ${name}`;
  const keyring = await exampleKeyring();
  const keys = await keyring.shapeKeys(domain);
  const bytes = await golden.read(`${folder}${fan}/${name}`);
  const header = parseHeader(bytes, what);
  checkHeader(header, keys, what);
  const trailer = bytes.subarray(-12);
  const tocAt = bytes.length - 12 - parseTrailer(trailer, what);
  const frame = bytes.slice(tocAt, -12);
  const toc = await openToc(header, { keys, frame, fileBytes: bytes.length, what });
  const tocKey = await deriveKey(keys.toc, "toc", { salt: header.hm });
  const identity = kind === "D" ? await keyring.dataIdentity() : await keyring.metaIdentity();
  const key = await unwrapKey(header.ageFile, identity!, what);
  const opener = new Opener(key, header.hm);
  const view = new DataView(toc.chunks.buffer, toc.chunks.byteOffset);
  const blocks = await Promise.all(
    tocBlocks(toc).map(async (block, i) => {
      const at = header.bytes.length + block.offset;
      const packed = await opener.open("B", i, bytes.slice(at, at + block.sealedLength));
      const chunks = Array.from(
        { length: block.chunks },
        (_, j) => view.getUint32(36 * (block.firstChunk + j) + 32, true),
      );
      return { at, sealedLength: block.sealedLength, rawLength: block.rawLength, codec: packed[0]!, chunks };
    }),
  );
  return {
    name,
    bytes,
    header,
    n: header.ageFile.length,
    key,
    tocKey,
    toc,
    plainToc: await new Opener(tocKey, header.hm).open("T", 0, frame, toHex(header.hm)),
    blocks,
    paddingAt: paddingOffset(header, toc),
    tocAt,
    trailer,
  };
}
