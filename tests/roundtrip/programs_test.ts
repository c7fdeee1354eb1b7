// What programs of today write comes back, one repository for each of them. What is not installed is ignored.

import { join } from "node:path";
import { comeBack, type Stream } from "./repositories.ts";

const versions = {
  tar: version("tar", "--version").includes("GNU tar"),
  bsdtar: version("bsdtar", "--version").includes("bsdtar"),
  busybox: version("busybox").includes("BusyBox"),
  python: version("python3", "-c", "import tarfile; print('tarfile')").includes("tarfile"),
  sevenZip: version("7z").includes("7-Zip"),
};

function version(command: string, ...args: string[]): string {
  try {
    const { stdout, stderr } = new Deno.Command(command, { args }).outputSync();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Whether this machine's tar was built with what an option needs; it says so on stderr. */
function takes(option: string): boolean {
  if (!versions.tar) return false;
  const args = [option, "-c", "-f", "/dev/null", "-T", "/dev/null"];
  const { success, stderr } = new Deno.Command("tar", { args }).outputSync();
  return success && stderr.length === 0;
}

/** Runs a shell script in a directory. */
function shell(directory: string, script: string): void {
  const { success, stderr } = new Deno.Command("sh", { args: ["-c", script], cwd: directory }).outputSync();
  if (!success) throw new Error(`"${script}" failed: ${new TextDecoder().decode(stderr)}`);
}

/** Files of every length around a block, links, holes, long and strange names; a name per line. */
const TREE = `mkdir -p t/dir/empty && cd t
for size in 0 1 511 512 513 1024 70000; do head -c $size /dev/zero | tr '\\0' x > file$size; done
head -c 1500000 /dev/urandom > random && cp random dir/copy
ln file513 hard; ln -s file513 soft; mkfifo fifo
long=$(printf 'd%.0s' $(seq 90)); mkdir -p $long/$long/$long; echo long > $long/$long/$long/file
echo long > dir/$long$long; ln -s $(printf 't%.0s' $(seq 200)) longlink; ln dir/$long$long longhard
echo u > dir/ünï; echo l > "dir/$(printf 'latin\\351')"; echo n > "dir/new
line"
truncate -s 3M hole; truncate -s 1M sparse; echo data | dd of=sparse bs=1 seek=500000 conv=notrunc 2>/dev/null
for i in $(seq 0 30); do echo $i | dd of=holes bs=1 seek=$((i * 65536)) conv=notrunc 2>/dev/null; done
touch -d '1969-12-31 12:00:00.5 UTC' old`;

/** Runs scripts that each make a tar, NAME.tar, of the tree `t`, and takes all of them through a repository. */
async function eachComesBack(scripts: Record<string, string>, prepare = ""): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    shell(directory, TREE);
    if (prepare !== "") shell(directory, prepare);
    await comeBack(written(directory, scripts));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function* written(directory: string, scripts: Record<string, string>): Generator<Stream> {
  for (const [name, script] of Object.entries(scripts)) {
    shell(directory, script);
    const bytes = Deno.readFileSync(join(directory, `${name}.tar`));
    if (bytes.length === 0) throw new Error(`"${script}" wrote nothing`);
    yield { name, bytes };
  }
}

/** What a format without long names, other types or old times cannot hold. */
const NARROW = "--exclude='ddd*' --exclude='long*' --exclude=old --exclude=fifo";

Deno.test({
  name: "what GNU tar writes in each of its formats comes back, sparse files too",
  ignore: !versions.tar,
  async fn() {
    await eachComesBack({
      v7: `tar -c -f v7.tar --format=v7 ${NARROW} t 2>/dev/null`,
      ustar: `tar -c -f ustar.tar --format=ustar ${NARROW} t`,
      gnu: "tar -c -f gnu.tar --format=gnu t",
      oldgnu: "tar -c -f oldgnu.tar --format=oldgnu t",
      posix: "tar -c -f posix.tar --format=posix t",
      "gnu-sparse": "tar -c -f gnu-sparse.tar --format=gnu --sparse t",
      "oldgnu-sparse": "tar -c -f oldgnu-sparse.tar --format=oldgnu --sparse t",
      "sparse-0.0": "tar -c -f sparse-0.0.tar --format=posix --sparse --sparse-version=0.0 t",
      "sparse-0.1": "tar -c -f sparse-0.1.tar --format=posix --sparse --sparse-version=0.1 t",
      "sparse-1.0": "tar -c -f sparse-1.0.tar --format=posix --sparse --sparse-version=1.0 t",
    });
  },
});

Deno.test({
  name: "what GNU tar appends, joins, deletes, labels, splits or writes incrementally comes back",
  ignore: !versions.tar,
  async fn() {
    await eachComesBack({
      "record-1": "tar -c -f record-1.tar -b1 t",
      "record-2048": "tar -c -f record-2048.tar -b2048 t",
      appended: "tar -c -f appended.tar t/dir && tar -r -f appended.tar t/file513 t/random",
      updated: "cp appended.tar updated.tar && touch t/file1 && tar -u -f updated.tar t/file1",
      joined: "cp appended.tar joined.tar && tar -A -f joined.tar record-1.tar",
      behind: "cat appended.tar record-2048.tar > behind.tar",
      deleted: "cp appended.tar deleted.tar && tar --delete -f deleted.tar t/file513",
      label: "tar -c -f label.tar --label='a label' t/dir",
      full: "tar -c -f full.tar -g state t",
      incremental: "echo more >> t/file1 && rm t/hard && tar -c -f incremental.tar -g state t",
      volume1: "tar -c --format=gnu -M -L 900 -f volume1.tar -f volume2.tar t/random t/file513",
      volume2: "true",
      verbatim: "tar -c -f verbatim.tar --no-recursion --numeric-owner --owner=4000000 --group=4000000 t t/dir t/file0",
      global: "tar -c -f global.tar --format=posix --pax-option=globexthdr.name=g,SCHILY.note=x t",
      exact: "tar -c -f exact.tar --format=posix --pax-option='exthdr.name=%d/%p-%f,delete=atime' t",
    });
  },
});

for (const option of ["--xattrs", "--acls", "--selinux"]) {
  Deno.test({
    name: `what GNU tar writes with ${option} comes back`,
    ignore: !takes(option),
    async fn() {
      const scripts = { all: `tar -c -f all.tar ${option} t` };
      // Where the disk or the machine has no attributes to set, the option alone is what is tried.
      const attributes = `python3 -c 'import os; os.setxattr("t/file1", "user.note", bytes(range(256)))' || true`;
      await eachComesBack(scripts, option === "--xattrs" ? attributes : "");
    },
  });
}

Deno.test({
  name: "what bsdtar writes comes back, in formats that are no tar too",
  ignore: !versions.bsdtar,
  async fn() {
    const names = ["pax", "gnutar", "ustar", "v7", "cpio", "shar"];
    // It ends with an error where a format cannot hold a name; what it wrote is what counts.
    const script = (format: string) =>
      `LC_ALL=C.UTF-8 bsdtar -c -f ${format}.tar --format ${format} t 2>/dev/null || true`;
    await eachComesBack(Object.fromEntries(names.map((format) => [format, script(format)])));
  },
});

Deno.test({
  name: "what busybox writes comes back",
  ignore: !versions.busybox,
  async fn() {
    await eachComesBack({ busybox: "busybox tar -c -f busybox.tar t" });
  },
});

Deno.test({
  name: "what Python's tarfile writes in each of its formats comes back",
  ignore: !versions.python,
  async fn() {
    const narrow = `lambda m: None if any(part in m.name for part in ("ddd", "long", "old")) else m`;
    const script = (format: string, rest: string) =>
      `python3 - <<'END'
import tarfile
with tarfile.open("${format}.tar", "w", format=tarfile.${format}_FORMAT) as tar:
    tar.add("t"${rest})
END`;
    await eachComesBack({
      PAX: script("PAX", ""),
      GNU: script("GNU", ""),
      USTAR: script("USTAR", `, filter=${narrow}`),
    });
  },
});

Deno.test({
  name: "what 7-Zip writes comes back",
  ignore: !versions.sevenZip,
  async fn() {
    await eachComesBack({ seven: "rm t/fifo && 7z a -ttar -snl seven.tar t > /dev/null" });
  },
});
