/**
 * A repository and a machine that uses it, both as a process of its own (the command line) and in this process (the
 * verbs): what the one did is looked at with the other.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { found, type Founded, type Machine, machineOf } from "../repository/machine.ts";
import { type Running, start, type StartOptions } from "./running.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where a site's parts are; by default all of them below one folder. */
export interface SitePlaces {
  /** The repository, relative to the folder. */
  readonly repository?: string;
  /** The machine's state, relative to the folder. */
  readonly state?: string;
}

/** A repository with one machine. */
export class Site {
  readonly folder: string;
  readonly location: string;
  readonly state: string;
  /** The machine, in this process. */
  readonly machine: Machine;
  readonly #founded: Founded;
  readonly #key: string;
  #others = 0;

  private constructor(folder: string, founded: Founded, places: SitePlaces) {
    this.folder = folder;
    this.location = founded.location;
    this.state = `${folder}/${places.state ?? "state"}`;
    this.#founded = founded;
    this.#key = `${folder}/full.key`;
    this.machine = machineOf({ ...this.#at, state: this.state });
  }

  /** Makes a repository below `folder`, which must exist. */
  static async found(folder: string, places: SitePlaces = {}): Promise<Site> {
    const founded = await found(folder, { name: places.repository ?? "repository" });
    const site = new Site(folder, founded, places);
    // A key file opens at once; a passphrase would cost a second of scrypt each time.
    await Deno.writeTextFile(site.#key, founded.fullKey, { mode: 0o600 });
    return site;
  }

  /** A machine that has never seen the repository. */
  stranger(): Machine {
    return machineOf({ ...this.#at, state: `${this.folder}/stranger-${++this.#others}` });
  }

  get #at() {
    return { location: this.location, config: `${this.folder}/config`, key: this.#founded.fullKey };
  }

  /** Starts a command line of the machine as a process. */
  start(args: readonly string[], options: StartOptions = {}): Running {
    const words = ["run", "-q", "--no-prompt", "--no-remote", "--config", `${root}deno.json`, "-P=tarzan"];
    const [command, ...others] = args;
    return start([Deno.execPath(), ...words, `${root}main.ts`, command!, "--identity", this.#key, ...others], {
      ...options,
      env: {
        TARZAN_REPOSITORY: this.location,
        TARZAN_STATE_DIR: this.state,
        TARZAN_CONFIG_DIR: `${this.folder}/config`,
        ...options.env,
      },
    });
  }

  /** Starts a backup with bricks that are as small as they may be. */
  startCreate(args: readonly string[] = [], options: StartOptions = {}): Running {
    return this.start(["create", "--json", "--brick-size", "16MiB", ...args], options);
  }

  /** All files of the repository below a folder of it, relative to the repository, and how long they are. */
  files(below = ""): Map<string, number> {
    const files = new Map<string, number>();
    collect(`${this.location}/${below}`, below === "" ? "" : `${below}/`, files);
    return files;
  }

  /** Names of indexes with this ending. */
  indexes(ending: ".json" | ".open"): string[] {
    const names = [...this.files("index").keys()].filter((name) => name.endsWith(ending));
    return names.map((name) => name.slice(name.lastIndexOf("/") + 1, -ending.length)).sort();
  }

  /** Bytes of the bricks that are finished. */
  brickBytes(): number {
    return [...this.files("bricks").values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** That nothing lies about that no run needs: no unfinished object, no journal, no brick of which no ledger tells. */
  async assertTidy(): Promise<void> {
    assert.deepEqual([...this.files("tmp").keys()], [], "left in tmp/");
    const left = new Map<string, number>();
    collect(this.state, "", left);
    const journals = [...left.keys()].filter((name) => /journal-[^/]*\/(?!CACHEDIR\.TAG$)/.test(name));
    assert.deepEqual(journals, [], "left of journals");
    const { problems, bricks } = await this.stranger().verify();
    assert.deepEqual(problems, []);
    const there = this.files("bricks").size + this.files("meta").size;
    assert.equal(bricks, there, `${there} bricks are there, ledgers tell of ${bricks}`);
  }
}

function collect(folder: string, prefix: string, into: Map<string, number>): void {
  try {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      if (isDirectory) collect(`${folder}/${name}`, `${prefix}${name}/`, into);
      else into.set(prefix + name, Deno.statSync(`${folder}/${name}`).size);
    }
  } catch (error) {
    // A living run may take it away while it is looked at.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
