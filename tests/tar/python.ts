/** What CPython's tarfile says of a tar: a reader that shares nothing with ours. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { nameFromPrintable, readEntry } from "../../lib/tar/mod.ts";
import { entriesOf, record } from "./recorder.ts";

/** Whether it is installed. */
export const hasPython = (() => {
  try {
    return new Deno.Command("python3", { args: ["-c", "import tarfile"] }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
})();

const PYTHON_LIST = `
import json, sys, tarfile
result = {}
for path in sys.argv[1:]:
    try:
        with tarfile.open(path, "r:", encoding="utf-8", errors="surrogateescape") as tar:
            result[path] = [{ # before 3.10 a slash stayed at the end of a long name
                "name": member.name.rstrip("/").encode("utf-8", "surrogateescape").hex(),
                "link": member.linkname.encode("utf-8", "surrogateescape").hex(),
                "type": member.type.decode("latin1"), "size": member.size, "at": member.offset_data,
                "major": member.devmajor, "minor": member.devminor, "gid": member.gid,
                "sparse": member.sparse is not None, "mode": member.mode, "uid": member.uid, "mtime": member.mtime,
            } for member in tar]
    except tarfile.TarError as error:
        sys.exit(f"Python {sys.version.split()[0]} gives up at {path}: {error}")
print(json.dumps(result))
`;

interface PythonMember {
  name: string;
  link: string;
  type: string;
  size: number;
  at: number;
  sparse: boolean;
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  major: number;
  minor: number;
}

/** Fails unless we find in these tars what Python finds. Does nothing without Python. */
export function agreeWithPython(directory: string, names: string[]): void {
  if (!hasPython) return;
  const { success, stdout, stderr } = new Deno.Command("python3", {
    args: ["-c", PYTHON_LIST, ...names],
    cwd: directory,
  })
    .outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  const lists = JSON.parse(new TextDecoder().decode(stdout)) as Record<string, PythonMember[]>;
  for (const [file, members] of Object.entries(lists)) {
    const found = entriesOf(record(Deno.readFileSync(join(directory, file))));
    assert.deepEqual(
      found.map(({ name }) => hex(withoutSlash(nameFromPrintable(name)))),
      members.map(({ name }) => name),
      file,
    );
    members.forEach((member, i) => {
      const about = `${file}: ${found[i]!.name}`;
      const entry = readEntry(found[i]!.head);
      if ("0\0".includes(member.type)) assert.equal(entry.realSize, member.size, about);
      assert.equal(entry.sparse, member.sparse, about);
      assert.equal(entry.mode, member.mode & 0o7777, about);
      assert.deepEqual([entry.uid, entry.gid], [member.uid, member.gid], about);
      assert.equal(entry.mtime, member.mtime, about);
      if ("12".includes(member.type)) assert.equal(hex(entry.linkName), member.link, about);
      if ("34".includes(member.type)) {
        assert.deepEqual([entry.devMajor, entry.devMinor], [member.major, member.minor], about);
      }
      // Python counts the map of sparse format 1.0 as header.
      if (found[i]!.bodyFrom !== undefined && !member.sparse) assert.equal(found[i]!.bodyFrom, member.at, about);
    });
  }
}

function withoutSlash(name: Uint8Array): Uint8Array {
  let length = name.length;
  while (length > 1 && name[length - 1] === 0x2f) length--;
  return name.subarray(0, length);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
