/** The programs that are compared, each with its own defaults: how it makes a repository, backs up, restores and checks. */
import { fileURLToPath } from "node:url";
import type { KeyFile } from "./key_file.ts";
import type { Task } from "./measure.ts";
import { V8_FLAGS } from "./own_process.ts";

/** What is timed, in this order. */
export const PHASES = ["first", "again", "restore", "check"] as const;
export type Phase = (typeof PHASES)[number];

/** A backup program. `place` is a folder of its own, which is not there yet. */
export interface Contestant {
  name: string;
  /** Its version, to see whether it is installed. */
  version: Task;
  /** So slow that one run is enough. */
  slow?: boolean;
  /** Where in `place` the stored bytes are. */
  stored: string;
  init?: (place: string) => Task;
  /** The task of a phase; undefined where the program cannot do it. `input` is the file for first and again. */
  task: (phase: Phase, place: string, input: string) => Task | undefined;
  /** Prints help, and a list of what backups are there. */
  help?: Task;
  list?: (place: string) => Task;
  /** The same program, whose repository opens with a key file and no passphrase. */
  withKey?: (key: KeyFile) => Contestant;
}

const PASSWORD = "correct horse battery staple";

/** TARzan as `deno run`, or an executable; its repository opens with a passphrase, or with `key`. */
export function tarzan(executable: string | undefined, key?: KeyFile): Contestant {
  const main = fileURLToPath(new URL("../main.ts", import.meta.url));
  const program = executable === undefined ? [Deno.execPath(), "run", "-A", V8_FLAGS, main] : [executable];
  const with_ = (place: string, words: string[]): Task => ({
    argv: [...program, ...words, ...key === undefined || words[0] === "init" ? [] : ["--identity", key.file]],
    env: {
      ...key === undefined ? { TARZAN_PASSPHRASE: PASSWORD } : {},
      TARZAN_REPOSITORY: `${place}/repository`,
      TARZAN_STATE_DIR: `${place}/state`,
      TARZAN_CONFIG_DIR: `${place}/config`,
    },
  });
  const words = { first: ["create"], again: ["create"], restore: ["extract", "latest"], check: ["verify", "--data"] };
  return {
    name: "TARzan",
    version: { argv: [...program, "--version"] },
    stored: "repository",
    init: (place) =>
      with_(place, ["init", ...key === undefined ? [] : ["--no-passphrase", "--recipient", key.recipient]]),
    task: (phase, place, input) => ({ ...with_(place, words[phase]), ...inputOf(phase, input) }),
    help: { argv: [...program, "--help"] },
    list: (place) => with_(place, ["list"]),
    withKey: (key) => tarzan(executable, key),
  };
}

const restic: Contestant = {
  name: "restic",
  version: { argv: ["restic", "version"] },
  stored: "repository",
  init: (place) => resticTask(place, ["init"]),
  task(phase, place, input) {
    const backup = ["backup", "--stdin", "--stdin-filename", "data"];
    const words = {
      first: backup,
      again: backup,
      restore: ["dump", "latest", "/data"],
      check: ["check", "--read-data"],
    };
    return { ...resticTask(place, words[phase]), ...inputOf(phase, input) };
  },
  help: { argv: ["restic", "--help"] },
  list: (place) => resticTask(place, ["snapshots"]),
};

function resticTask(place: string, words: string[]): Task {
  return {
    argv: ["restic", ...words],
    env: {
      RESTIC_REPOSITORY: `${place}/repository`,
      RESTIC_PASSWORD: PASSWORD,
      RESTIC_CACHE_DIR: `${place}/cache`,
    },
  };
}

const borg: Contestant = {
  name: "borg",
  version: { argv: ["borg", "--version"] },
  stored: "repository",
  init: (place) => borgTask(place, ["init", "--encryption", "repokey", `${place}/repository`]),
  task(phase, place, input) {
    const at = `${place}/repository`;
    const words = {
      first: ["create", `${at}::first`, "-"],
      again: ["create", `${at}::again`, "-"],
      restore: ["extract", "--stdout", `${at}::again`],
      check: ["check", "--verify-data", at],
    };
    return { ...borgTask(place, words[phase]), ...inputOf(phase, input) };
  },
  help: { argv: ["borg", "--help"] },
  list: (place) => borgTask(place, ["list", `${place}/repository`]),
};

function borgTask(place: string, words: string[]): Task {
  return { argv: ["borg", ...words], env: { BORG_PASSPHRASE: PASSWORD, BORG_BASE_DIR: place } };
}

const zbackup: Contestant = {
  name: "zbackup",
  version: { argv: ["sh", "-c", "zbackup --version 2>&1 | grep -o 'ZBackup version.*'"] },
  slow: true,
  stored: "repository",
  init: (place) => zbackupTask(place, ["init", `${place}/repository`]),
  task(phase, place, input) {
    const at = `${place}/repository/backups`;
    const words = {
      first: ["backup", `${at}/first`],
      again: ["backup", `${at}/again`],
      restore: ["restore", `${at}/again`],
    };
    if (phase === "check") return undefined;
    return { ...zbackupTask(place, words[phase]), ...inputOf(phase, input) };
  },
};

function zbackupTask(place: string, words: string[]): Task {
  const script = 'printf %s "$PASSWORD" > "$PLACE/password"; exec zbackup --password-file "$PLACE/password" "$@"';
  return { argv: ["bash", "-c", script, "bash", ...words], env: { PASSWORD, PLACE: place } };
}

/** No backup program: what compressing and encrypting costs at least. No deduplication, no authentication. */
const floor: Contestant = {
  name: "zstd | openssl",
  version: { argv: ["sh", "-c", "zstd --version | grep -o 'v[0-9.]*' && openssl version"] },
  stored: "repository",
  task(phase, place, input) {
    const secret = 'openssl enc -aes-256-ctr -pbkdf2 -pass "pass:$PASSWORD"';
    const scripts = {
      first: `mkdir "$PLACE/repository"; zstd -q -1 -T2 | ${secret} -out "$PLACE/repository/data"`,
      restore: `${secret} -d -in "$PLACE/repository/data" | zstd -q -d`,
    };
    if (phase !== "first" && phase !== "restore") return undefined;
    const task = { argv: ["bash", "-c", scripts[phase]], env: { PASSWORD, PLACE: place } };
    return { ...task, ...inputOf(phase, input) };
  },
};

export const PEERS = [restic, borg, zbackup, floor];

function inputOf(phase: Phase, input: string): { input?: string } {
  return phase === "first" || phase === "again" ? { input } : {};
}

/** What a program calls itself; undefined: it is not installed. */
export async function versionOf({ version }: Contestant): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(version.argv[0]!, {
      args: version.argv.slice(1),
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim().split("\n").join(", ") : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
