import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { printableName, readEntry } from "../../lib/tar/mod.ts";
import { agreeWithPython, hasPython } from "./python.ts";
import { entriesOf, randomLengths, record } from "./recorder.ts";

// Tars that other projects made to test their readers. They lie beside the repository; without them these tests are ignored.
const corpus = join(import.meta.dirname!, "../../../shared/corpus/tar");
const files = listFiles();
const absent = files.length === 0;
const COMPRESSED = /\.(gz|lz4|lzo|lrz|grz|zst|rar)$/;
const SEED = 20240607;

function listFiles(): string[] {
  try {
    return readdirSync(corpus, { recursive: true, withFileTypes: true })
      .filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function each(use: (input: Uint8Array, file: string) => void): void {
  for (const file of files) {
    try {
      use(new Uint8Array(readFileSync(file)), file);
    } catch (error) {
      throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
    }
  }
}

Deno.test({
  name: "every file of the corpus comes out whole, and the same however it is cut",
  ignore: absent,
  fn() {
    each((input) => {
      const whole = record(input);
      for (let i = 0; i < 4; i++) {
        const pieces = record(input, randomLengths(SEED + i));
        assert.deepEqual(pieces.events, whole.events, `seed ${SEED + i}`);
        assert.deepEqual(pieces.status, whole.status, `seed ${SEED + i}`);
      }
    });
  },
});

Deno.test({
  name: "every small file of the corpus comes out the same byte by byte",
  ignore: absent,
  fn() {
    each((input) => {
      if (input.length > 20480) return;
      const bytes = record(input, () => 1);
      assert.deepEqual(bytes.events, record(input).events);
    });
  },
});

Deno.test({
  name: "no beginning of a small file of the corpus shows a byte as raw that the whole file does not",
  ignore: absent,
  fn() {
    each((input) => {
      if (input.length > 20480) return;
      // How many bytes up to each offset must not be raw. Zeros do not count: at a cut they pass for padding.
      const hidden = new Uint32Array(input.length + 1);
      const isRaw = new Uint8Array(input.length);
      for (const event of record(input).events) if (event.kind === "raw") isRaw.fill(1, event.from, event.to);
      for (let i = 0; i < input.length; i++) hidden[i + 1] = hidden[i]! + (isRaw[i] === 0 && input[i] !== 0 ? 1 : 0);
      for (let length = 0; length < input.length; length++) {
        for (const event of record(input.subarray(0, length)).events) {
          if (event.kind !== "raw") continue;
          assert.equal(hidden[event.to], hidden[event.from], `${event.from} to ${event.to} of the first ${length}`);
        }
      }
    });
  },
});

Deno.test({
  name: "the header bytes of every entry of the corpus read as the name and size that were announced",
  ignore: absent,
  fn() {
    let count = 0;
    each((input) => {
      for (const found of entriesOf(record(input))) {
        const entry = readEntry(found.head);
        assert.equal(printableName(entry.name), found.name);
        // Of a file named like a directory only the stream can tell whether it has a body.
        if (entry.type !== "d") assert.equal(entry.size, found.size, found.name);
        count++;
      }
    });
    assert.ok(count > 200, `${count} entries`);
  },
});

Deno.test({
  name: "compressed files of the corpus are one nameless body, and the format is told",
  ignore: absent,
  fn() {
    const formats = new Set<string | undefined>();
    each((input, file) => {
      if (!COMPRESSED.test(file)) return;
      const { events, status } = record(input);
      assert.deepEqual(events, [{ kind: "body", from: 0, to: input.length, named: false, ended: true }]);
      assert.equal(status.opaqueBytes, input.length);
      assert.equal(status.incomplete, undefined);
      formats.add(status.compressed);
    });
    assert.deepEqual([...formats].sort(), ["grzip", "gzip", "lrzip", "lz4", "lzop", "rar", "zstd"]);
  },
});

/** Where Python errs, gives up or reads another way. Beside each, with whom we agree. */
const PYTHON_DIFFERS = new Set([
  "gnu-incremental.tar", // takes times in the prefix field for a name; GNU tar, Go
  "gnu-multi-hdrs.tar", // first of two long names; GNU tar, Go
  "test_read_format_gtar_redundant_L.tar",
  "pax-multi-hdrs.tar", // joins two x; GNU tar, Go, libarchive
  "invalid-go17.tar", // prefix under GNU magic; GNU tar
  "pax-bad-hdr-file.tar", // takes records without newline; GNU tar, libarchive
  "pax-bad-mtime-file.tar", // no fallback for a time that is none
  "test_read_format_tar_pax_timestamps.tar",
  "pax-global-records.tar", // names and times out of g; Go, libarchive
  "pax-nil-sparse-data.tar", // stored size for the real one; Go
  "pax-nil-sparse-hole.tar",
  "pax-sparse-big.tar",
  "test_compat_solaris_tar_acl.tar", // A as an entry; libarchive
  "test_read_format_tar_concatenated.tar", // stops at zeros; GNU tar -i
  "test_read_format_tar_pax_sun_holesdata.tar", // not known to be sparse; libarchive
]);

/** Tars that make it give up, or those of its versions that look closer. */
const FATAL_TO_PYTHON = new Set([
  "test_read_pax_empty_val_no_nl.tar", // a record without newline: since CVE-2024-6232 was mended
  "test_read_format_gtar_sparse_1_17_posix10_modified.tar",
  "test_read_format_gtar_sparse_skip_entry.tar",
]);

Deno.test({
  name: "what Python reads of the corpus is what we read",
  ignore: absent || !hasPython,
  fn() {
    const whole: string[] = [];
    each((input, file) => {
      const { status } = record(input);
      const cut = status.incomplete !== undefined && !/zero blocks/.test(status.incomplete);
      const odd = status.entries === 0 || cut || PYTHON_DIFFERS.has(basename(file)) ||
        FATAL_TO_PYTHON.has(basename(file));
      if (!odd) whole.push(file);
    });
    assert.ok(whole.length > 50, `${whole.length} files`);
    agreeWithPython("/", whole);
  },
});
