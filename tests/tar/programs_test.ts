// Tars as programs of today write them, with an independent reader's opinion of each. What is not installed is ignored.

import assert from "node:assert/strict";
import { join } from "node:path";
import { readEntry } from "../../lib/tar/mod.ts";
import { agreeWithPython, hasPython } from "./python.ts";
import { entriesOf, randomLengths, record, type Recording } from "./recorder.ts";

const SEED = 7;

const has = {
  tar: version("tar", "--version").includes("GNU tar"),
  bsdtar: version("bsdtar", "--version").includes("bsdtar"),
  busybox: version("busybox").includes("BusyBox"),
  sevenZip: version("7z").includes("7-Zip"),
};

const compared = hasPython ? ", like python3 reads it" : " (python3 is not installed: not compared)";

function version(command: string, ...args: string[]): string {
  try {
    const { stdout, stderr } = new Deno.Command(command, { args }).outputSync();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Runs a shell script in the directory. */
function shell(directory: string, script: string): string {
  const { success, stdout, stderr } = new Deno.Command("sh", { args: ["-c", script], cwd: directory }).outputSync();
  if (!success) throw new Error(`"${script}" failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** A tree with what tars are made of, in a directory that is removed afterwards. */
function withTree(use: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync();
  try {
    shell(
      directory,
      `mkdir -p t/dir/empty && cd t
      for size in 0 1 511 512 513 70000; do head -c $size /dev/zero | tr '\\0' x > file$size; done
      ln file513 hard; ln -s file513 soft; mkfifo fifo
      long=$(printf 'd%.0s' $(seq 90)); mkdir -p $long/$long/$long; echo long > $long/$long/$long/file
      echo long > dir/$long$long; ln -s $(printf 't%.0s' $(seq 200)) longlink; ln dir/$long$long longhard
      echo u > dir/ünï; echo l > "dir/$(printf 'latin\\351')"; echo n > "dir/new
line"
      truncate -s 1M sparse; echo data | dd of=sparse bs=1 seek=500000 conv=notrunc 2>/dev/null
      for i in $(seq 0 30); do echo $i | dd of=holes bs=1 seek=$((i * 65536)) conv=notrunc 2>/dev/null; done
      touch -d '1969-12-31 12:00:00.5 UTC' old`,
    );
    use(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Reads the tar in `directory`; it must be whole, and the same in pieces. */
function read(directory: string, name: string): Recording {
  const recording = record(Deno.readFileSync(join(directory, name)));
  assert.deepEqual(record(recording.input, randomLengths(SEED)).events, recording.events, `${name}, seed ${SEED}`);
  assert.equal(recording.status.opaqueBytes, 0, name);
  assert.equal(recording.status.incomplete, undefined, name);
  return recording;
}

/** The names of files in a tar, as its listing shows them. */
function namesIn(recording: Recording): string[] {
  return entriesOf(recording).map(({ name }) => name);
}

Deno.test({
  name: "GNU tar in every format, with sparse files, and with odd record sizes is read" + compared,
  ignore: !has.tar,
  fn() {
    withTree((directory) => {
      const ways = {
        v7: "--format=v7 --exclude=ddd* --exclude=long* --exclude=fifo --exclude=old",
        oldgnu: "--format=oldgnu",
        gnu: "--format=gnu",
        ustar: "--format=ustar --exclude=ddd* --exclude=long* --exclude=old",
        posix: "--format=posix",
        "gnu-sparse": "--format=gnu -S",
        "oldgnu-sparse": "--format=oldgnu -S",
        "posix-sparse-0.0": "--format=posix -S --sparse-version=0.0",
        "posix-sparse-0.1": "--format=posix -S --sparse-version=0.1",
        "posix-sparse-1.0": "--format=posix -S --sparse-version=1.0",
        "record-1": "-b1",
        "record-2048": "-b2048",
        "numeric-global": "--format=posix --pax-option=globexthdr.name=g,SCHILY.note=x --numeric-owner",
      };
      for (const [name, options] of Object.entries(ways)) {
        shell(directory, `tar -c -f ${name}.tar ${options} t 2>/dev/null`);
        const names = namesIn(read(directory, `${name}.tar`));
        for (const file of ["t/", "t/file0", "t/file513", "t/hard", "t/soft", "t/holes", "t/dir/latin\\xe9"]) {
          assert.ok(names.includes(file), `${name} lacks ${file}`);
        }
      }
      agreeWithPython(directory, Object.keys(ways).map((name) => `${name}.tar`));
    });
  },
});

Deno.test({
  name: "what GNU tar appends, concatenates, deletes, labels or writes incrementally is read" + compared,
  ignore: !has.tar,
  fn() {
    withTree((directory) => {
      shell(directory, "tar -c -f a.tar t/file1 && tar -c -f b.tar --format=posix t/file513 t/dir");
      shell(directory, "cp a.tar appended.tar && tar -r -f appended.tar t/file0 t/file1");
      assert.deepEqual(namesIn(read(directory, "appended.tar")), ["t/file1", "t/file0", "t/file1"]);
      shell(directory, "cp a.tar joined.tar && tar -A -f joined.tar b.tar");
      shell(directory, "cat a.tar b.tar > behind.tar");
      assert.deepEqual(namesIn(read(directory, "joined.tar")), namesIn(read(directory, "behind.tar")));
      shell(directory, "cp appended.tar deleted.tar && tar --delete -f deleted.tar t/file0");
      assert.deepEqual(namesIn(read(directory, "deleted.tar")), ["t/file1", "t/file1"]);
      shell(directory, "tar -c -V 'a label' -f label.tar t/file1");
      assert.deepEqual(namesIn(read(directory, "label.tar")), ["a label", "t/file1"]);
      shell(directory, "tar -c -g state -f incremental.tar t");
      const dumpdir = entriesOf(read(directory, "incremental.tar"))[0]!;
      assert.equal(readEntry(dumpdir.head).type, "D");
      assert.ok(new TextDecoder().decode(dumpdir.body).includes("Yfile0\0"));
      agreeWithPython(directory, ["appended.tar", "joined.tar", "deleted.tar"]);
    });
  },
});

Deno.test({
  name: "each volume of a multi-volume tar is read as far as it goes, and the rest of a file in the next one",
  ignore: !has.tar,
  fn() {
    withTree((directory) => {
      shell(directory, "tar -c --format=gnu -M -L 60 -f v1.tar -f v2.tar t/file70000 t/file513");
      const first = record(Deno.readFileSync(join(directory, "v1.tar")));
      assert.match(first.status.incomplete!, /^it ends inside the body of "t\/file70000", \d+ bytes are missing$/);
      const [rest, last] = entriesOf(read(directory, "v2.tar"));
      assert.equal(readEntry(rest!.head).type, "M");
      assert.equal(entriesOf(first)[0]!.body.length + rest!.size, 70000);
      assert.equal(last!.name, "t/file513");
    });
  },
});

Deno.test({
  name: "sparse files have the size they unpack to",
  ignore: !has.tar,
  fn() {
    withTree((directory) => {
      for (
        const options of [
          "gnu",
          "posix --sparse-version=0.0",
          "posix --sparse-version=0.1",
          "posix --sparse-version=1.0",
        ]
      ) {
        shell(directory, `tar -c -f s.tar -S --format=${options} t/sparse t/holes`);
        const [sparse, holes] = entriesOf(read(directory, "s.tar")).map(({ head }) => readEntry(head));
        assert.deepEqual([sparse!.realSize, sparse!.sparse], [1 << 20, true], options);
        assert.equal(holes!.realSize, 30 * 65536 + 3, options);
        assert.ok(sparse!.size < 70000, options);
      }
    });
  },
});

Deno.test({
  name: "bsdtar's formats are read" + compared,
  ignore: !has.bsdtar,
  fn() {
    withTree((directory) => {
      const names = ["pax", "gnutar", "ustar", "v7"].map((format) => {
        const leaveOut = format === "ustar" || format === "v7"
          ? "--exclude 'ddd*' --exclude 'long*' --exclude old"
          : "";
        shell(
          directory,
          `LC_ALL=C.UTF-8 bsdtar -c -f ${format}.tar --format ${format} ${leaveOut} t 2>/dev/null || true`,
        );
        assert.ok(entriesOf(read(directory, `${format}.tar`)).length > 15, format);
        return `${format}.tar`;
      });
      agreeWithPython(directory, names);
    });
  },
});

Deno.test({
  name: "busybox tars are read" + compared,
  ignore: !has.busybox,
  fn() {
    withTree((directory) => {
      shell(directory, "busybox tar -c -f b.tar t");
      assert.ok(entriesOf(read(directory, "b.tar")).length > 20);
      agreeWithPython(directory, ["b.tar"]);
    });
  },
});

Deno.test({
  name: "7-Zip tars are read" + compared,
  ignore: !has.sevenZip,
  fn() {
    withTree((directory) => {
      shell(directory, "rm t/fifo && 7z a -ttar -snl 7.tar t > /dev/null");
      assert.ok(entriesOf(read(directory, "7.tar")).length > 20);
      agreeWithPython(directory, ["7.tar"]);
    });
  },
});

Deno.test({
  name: "python3 tars in all its formats are read",
  ignore: !hasPython,
  fn() {
    withTree((directory) => {
      const script = `import tarfile
for name, format in (("p", tarfile.PAX_FORMAT), ("g", tarfile.GNU_FORMAT), ("u", tarfile.USTAR_FORMAT)):
    with tarfile.open(name + ".tar", "w", format=format, pax_headers={"comment": "all"} if name == "p" else None) as tar:
        tar.add("t", filter=lambda m: None if name == "u" and ("ddd" in m.name or "long" in m.name or "old" in m.name) else m)`;
      Deno.writeTextFileSync(join(directory, "make.py"), script);
      shell(directory, "python3 make.py");
      for (const name of ["p.tar", "g.tar", "u.tar"]) assert.ok(entriesOf(read(directory, name)).length > 15, name);
      agreeWithPython(directory, ["p.tar", "g.tar", "u.tar"]);
    });
  },
});
