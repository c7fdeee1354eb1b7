/** A repository of the cold campaign, and the command line that uses it: each run is a process of its own. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import type { ColdTarget } from "./cold_targets.ts";
import { assertEnded, type Ended, feedWhole, type Running, start, type StartOptions } from "./running.ts";
import { sameBytes, sampleTar } from "./stream.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const PASSPHRASE = "the campaign's own words for the day it is needed";
/** Large data on a busy machine takes its time. */
const MOST_MS = 15 * 60_000;

/** A tar that is in the repository. */
export interface Backup {
  readonly snapshot: string;
  /** It is made again where it is needed: many large ones do not fit in memory. */
  tar(): Uint8Array<ArrayBuffer>;
}

/** A repository in a directory. */
export class ColdSite {
  readonly target: ColdTarget;
  readonly folder: string;
  /** Where the repository is. Another one after a disaster. */
  location: string;
  /** The cold store, as `--to` takes it, and its name in the target's log. */
  readonly place: string;
  readonly name: string;
  readonly backups: Backup[] = [];
  /** Bricks from this size on go to cold storage by themselves, smaller ones with others. */
  aloneBytes = 0;
  /** What was printed when the repository was made. */
  sheet = "";
  /** The most memory that one of its processes had, as far as Linux tells. */
  peakBytes = 0;
  #machines = 0;
  #keys: string[] = [];
  #secrets: Record<string, string> = {};

  constructor(target: ColdTarget, { folder, name }: { folder: string; name: string }) {
    this.target = target;
    this.folder = folder;
    this.name = name;
    this.location = `${folder}/repository`;
    this.place = target.place(name);
  }

  /** Makes the repository; with an age identity for every day, and a slot on paper. */
  async found(brickMib: number, ...more: string[]): Promise<void> {
    const words = ["--brick-size", `${brickMib}MiB`, ...more];
    this.aloneBytes = brickMib * 1024 * 1024 / 4;
    await Deno.mkdir(this.folder);
    const identity = await generateHybridIdentity();
    const path = `${this.folder}/identity.txt`;
    await Deno.writeTextFile(path, `${identity}\n`, { mode: 0o600 });
    const recipient = await identityToRecipient(identity);
    this.#secrets = { TARZAN_PASSPHRASE: PASSPHRASE };
    const { answer } = await this.ask(["init", "--recipient", recipient, ...words]);
    this.sheet = String(answer["sheet"]);
    this.#secrets = {};
    // The code is for machines that see the repository for the first time.
    this.#keys = ["--identity", path, "--pin", String(answer["code"])];
  }

  /** Starts a command line. */
  start([command, ...words]: string[], options: StartOptions = {}): Running {
    const machine = `${this.folder}/machine-${this.#machines}`;
    const { endpoint, environment } = this.target;
    const reach = ["-d", this.location, "--endpoint", endpoint, "--region", "us-east-1", ...this.#keys];
    const running = start([...program(), command!, ...reach, ...words], {
      mostMs: MOST_MS,
      ...options,
      env: {
        ...environment,
        ...this.#secrets,
        TARZAN_STATE_DIR: `${machine}/state`,
        TARZAN_CONFIG_DIR: `${machine}/config`,
        ...options.env,
      },
    });
    this.#watch(running);
    return running;
  }

  /** Runs one to its end, which is to be as it should. */
  async run(words: string[], { code = 0, says }: { code?: number; says?: RegExp } = {}): Promise<Ended> {
    const ended = await feedWhole(this.start(words), new Uint8Array());
    assertEnded(ended, { code, ...(says && { says }) });
    return ended;
  }

  /** Runs one with `--json`; its last line of output, and how it ended. */
  async ask(words: string[], codes: number[] = [0]): Promise<{ code: number; answer: Record<string, unknown> }> {
    const ended = await feedWhole(this.start([...words, "--json"]), new Uint8Array());
    assertEnded(ended, { code: codes.includes(ended.code) ? ended.code : codes[0]! });
    const line = ended.stdout.trimEnd().split("\n").at(-1) ?? "";
    return { code: ended.code, answer: line === "" ? {} : JSON.parse(line) };
  }

  /** Backs up a tar of this seed. */
  async backUp(seed: number, { bytes }: { bytes: number }): Promise<void> {
    const tar = () => sampleTar(seed, bytes);
    const ended = await feedWhole(this.start(["create", "--json"]), tar());
    assertEnded(ended, { code: 0 });
    this.backups.push({ snapshot: (JSON.parse(ended.stdout) as { snapshot: string }).snapshot, tar });
  }

  /** Catalogue, journals, pins, what the machine knows of endpoints: all of it is lost, or all but the `habits`. */
  async forget({ habits = false } = {}): Promise<void> {
    const machine = `${this.folder}/machine-${this.#machines}`;
    await Deno.remove(habits ? `${machine}/state` : machine, { recursive: true }).catch(ignoreAbsent);
    if (!habits) this.#machines++;
  }

  /** The hot store and the machine are lost; what is left is the sheet, and the passphrase that stands on it. */
  async loseAll(): Promise<void> {
    await this.forget();
    await Deno.remove(this.location, { recursive: true });
    this.location = `${this.folder}/from-cold`;
    const slots = this.sheet.match(/-----BEGIN AGE ENCRYPTED FILE-----[^]*?-----END AGE ENCRYPTED FILE-----\n/g) ?? [];
    assert.ok(slots.length > 0, "there is no slot on the recovery sheet");
    const words: string[] = [];
    for (const [at, slot] of slots.entries()) {
      await Deno.writeTextFile(`${this.folder}/slot-${at}.age`, slot, { mode: 0o600 });
      words.push("--identity", `${this.folder}/slot-${at}.age`);
    }
    await Deno.remove(`${this.folder}/identity.txt`);
    this.#keys = words;
    this.#secrets = { TARZAN_PASSPHRASE: PASSPHRASE };
  }

  /** Names of the hot store's objects below a folder of it. */
  hot(below: string): string[] {
    return [...filesIn(`${this.location}/${below}`)].sort();
  }

  /** That a backup comes back as it was. */
  async assertExtracts({ snapshot, tar }: Backup): Promise<void> {
    const ended = await feedWhole(this.start(["extract", snapshot], { binary: true }), new Uint8Array());
    assertEnded(ended, { code: 0 });
    assert.ok(sameBytes(ended.bytes, tar()), `${snapshot} came back otherwise than it was`);
  }

  #watch({ pid, gone }: Running): void {
    if (Deno.build.os !== "linux") return;
    const timer = setInterval(() => {
      try {
        const kib = /^VmHWM:\s+(\d+) kB/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1] ?? 0;
        this.peakBytes = Math.max(this.peakBytes, Number(kib) * 1024);
      } catch (error) {
        // It is over.
        if (!(error instanceof Deno.errors.NotFound) && !/os error 3\b/.test(String(error))) throw error;
      }
    }, 100);
    void gone.finally(() => clearInterval(timer));
  }
}

/** TARzan from the source, or the executable that is to be tried. */
function program(): string[] {
  const executable = Deno.env.get("TARZAN_EXECUTABLE");
  if (executable !== undefined && executable !== "") return [executable];
  const words = ["run", "-q", "--no-prompt", "--no-remote", "--config", `${root}deno.json`, "-P=tarzan"];
  return [Deno.execPath(), ...words, `${root}main.ts`];
}

function* filesIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* filesIn(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

function ignoreAbsent(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
