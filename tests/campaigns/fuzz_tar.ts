/** Random tars, whole and mutated, in and out. */
import { extract, listEntries } from "../../lib/verbs/mod.ts";
import { joined, noise } from "../repository/machine.ts";
import { END, type Fields, header, longName, member, pax } from "../tar/archives.ts";
import { tolerate } from "./meant_errors.ts";
import { type Numbers, oneOf } from "./numbers.ts";
import type { Site } from "./site.ts";
import { assertRestores } from "./stream.ts";

/** Backs a strange tar up, lists it, extracts it and an entry of it; what kind it was. */
export async function tarRound(site: Site, next: Numbers): Promise<string[]> {
  const tar = strangeTar(next);
  const { machine } = site;
  const { value, failure } = await tolerate("create", () => machine.create(inPieces(tar, next)));
  if (value === undefined) {
    if (tar.length > 0) throw new Error(`create refused ${tar.length} bytes: ${failure}`);
    return ["an empty stream refused"];
  }
  const { snapshot, complete } = value;
  await assertRestores(machine, { snapshot, expected: tar });
  const names: string[] = [];
  await listEntries(machine.session, {
    snapshot,
    paths: [],
    onEntries: (entries) => void names.push(...entries.map(({ name }) => new TextDecoder().decode(name))),
  });
  if (names.length > 0) {
    const paths = [oneOf(next, names)];
    await tolerate(
      `extract ${JSON.stringify(paths)}`,
      () => extract(machine.session, { snapshot, paths, output() {} }),
    );
  }
  return [complete ? "a whole tar came back" : "a tar that is incomplete came back"];
}

function strangeTar(next: Numbers): Uint8Array<ArrayBuffer> {
  const members = Array.from({ length: next(12) }, () => strangeMember(next));
  let tar = joined([...members, ...oneOf(next, [[END], [END], [END, END], [], [END.subarray(512)]])]);
  for (let i = oneOf(next, [0, 0, 1, 1, 2, 5]); i > 0; i--) tar = mutated(tar, next);
  return tar;
}

function strangeMember(next: Numbers): Uint8Array {
  const name = oneOf(next, ["file", "a/b/c", `file-${next(1000)}`, "x".repeat(100), "\u00e4/\x1b[2J", "", "../up"]);
  const size = oneOf(next, [0, 1, 511, 512, 513, next(5000), next(100_000), next(600_000)]);
  const magic = oneOf(next, ["ustar", "gnu", "v7"] as const);
  const fields: Fields = { name: new TextEncoder().encode(name).subarray(0, 100), magic };
  switch (next(12)) {
    case 0:
      return joined([pax({ path: `${name}${"/deep".repeat(next(200))}`, mtime: "1.5" }), member(fields, "pax")]);
    case 1:
      return joined([longName(`long/${"name".repeat(next(300))}`), member({ ...fields, magic: "gnu" }, "long")]);
    case 2:
      return joined([pax({ size: String(next(3000)) }), member(fields, noise(next(3000), next(1e9)))]);
    case 3:
      return header({ ...fields, type: oneOf(next, ["1", "2", "3", "5", "6", "7", "S", "D", "M", "V", "?"]) });
    case 4:
      return header({ ...fields, size: oneOf(next, ["77777777777\0", "\0", "9999", new Uint8Array(12).fill(0xff)]) });
    case 5:
      return header({ ...fields, sum: "wrong" });
    case 6:
      return pax({ "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": String(next(1e6)) });
    case 7:
      return noise(next(3000), next(1e9));
    default:
      return member(fields, next(3) === 0 ? new Uint8Array(size) : noise(size, next(1e9)));
  }
}

/** The same bytes but for one thing that happens to bytes. */
export function mutated(bytes: Uint8Array<ArrayBuffer>, next: Numbers): Uint8Array<ArrayBuffer> {
  const at = next(bytes.length + 1);
  const length = Math.min(bytes.length - at, 1 + next(oneOf(next, [1, 512, 5000])));
  const [front, middle, back] = [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at + length)];
  switch (next(6)) {
    case 0: {
      if (bytes.length === 0) return noise(1, next(1e9));
      const flipped = bytes.slice();
      flipped[at % bytes.length]! ^= 1 << next(8);
      return flipped;
    }
    case 1:
      return front.slice();
    case 2:
      return joined([front, back]);
    case 3:
      return joined([front, middle, middle, back]);
    case 4:
      return joined([front, noise(length, next(1e9)), back]);
    default:
      return joined([front, new Uint8Array(length), back]);
  }
}

function* inPieces(bytes: Uint8Array, next: Numbers): Generator<Uint8Array> {
  const most = oneOf(next, [7, 512, 100_000, 10_000_000]);
  const least = Math.ceil(bytes.length / 2000);
  for (let at = 0; at < bytes.length;) {
    const length = least + next(most);
    yield bytes.subarray(at, at + Math.max(1, length));
    at += Math.max(1, length);
  }
}
