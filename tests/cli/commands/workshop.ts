import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { run } from "../../../lib/cli/run.ts";
import { captureEnvironment } from "../captured_environment.ts";
import type { Environment } from "../../../lib/cli/environment.ts";
import { checkAgainstDocs } from "./documented_json.ts";

/** What a command line did. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stdoutBytes: Uint8Array<ArrayBuffer>;
  readonly stderr: string;
  /** The objects on standard output, each of which is as docs/JSON.md says. */
  readonly json: () => Record<string, unknown>[];
}

/** A folder with a home, an age identity and a place for a repository. */
export interface Workshop {
  readonly folder: string;
  readonly repository: string;
  /** The options that make a repository which opens with the identity: no passphrase, so no second of scrypt. */
  readonly founding: readonly string[];
  /** The recipient of somebody else's identity. */
  readonly stranger: string;
  /** Runs a command line with the identity as its key. */
  tarzan(...args: string[]): Promise<Outcome>;
  /** Runs a command line in another environment: without the key, unless it is named. */
  tarzanIn(changes: Changes, ...args: string[]): Promise<Outcome>;
}

/** How an environment differs. */
export interface Changes {
  readonly variables?: Record<string, string>;
  readonly environment?: (usual: Environment) => Environment;
}

/** Makes a workshop, lets it be used and removes it. */
export async function inWorkshop(use: (workshop: Workshop) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "workshop-" });
  try {
    const identity = await generateHybridIdentity();
    const recipient = await identityToRecipient(identity);
    await Deno.writeTextFile(`${folder}/ann.key`, identity, { mode: 0o600 });
    const repository = `${folder}/repository`;
    const variables = { HOME: `${folder}/home`, PATH: Deno.env.get("PATH") ?? "", TARZAN_REPOSITORY: repository };
    const tarzanIn = async (changes: Changes, ...args: string[]) => {
      const captured = captureEnvironment({ ...variables, ...changes.variables });
      const environment = changes.environment?.(captured.environment) ?? captured.environment;
      const code = await run(args, environment);
      const stdout = captured.stdout();
      return {
        code,
        stdout,
        stdoutBytes: captured.stdoutBytes(),
        stderr: captured.stderr(),
        json: () => stdout.trimEnd().split("\n").map((line) => checkAgainstDocs(line)),
      };
    };
    await use({
      folder,
      repository,
      stranger: await identityToRecipient(await generateHybridIdentity()),
      founding: ["--no-passphrase", "--recipient", recipient],
      tarzanIn,
      // In front, since behind "--" they would belong to another program.
      tarzan: (...args) => tarzanIn({}, "--identity", `${folder}/ann.key`, ...args),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A tar of some files, made by the system's tar. */
export async function makeTar(folder: string): Promise<string> {
  const source = `${folder}/source`;
  await Deno.mkdir(`${source}/etc/conf.d`, { recursive: true });
  await Deno.writeTextFile(`${source}/etc/hosts`, "127.0.0.1 localhost\n");
  await Deno.writeTextFile(`${source}/etc/conf.d/\x1b[2Jevil`, "x");
  // Large enough for several chunks, and not to be compressed.
  const noise = new Uint8Array(1_500_000);
  let state = 1;
  for (let i = 0; i < noise.length; i++) noise[i] = (state = Math.imul(state, 1664525) + 1013904223 | 0) >>> 24;
  await Deno.writeFile(`${source}/noise.bin`, noise);
  const path = `${folder}/source.tar`;
  const { success } = await new Deno.Command("tar", { args: ["-c", "-f", path, "-C", source, "etc", "noise.bin"] })
    .output();
  if (!success) throw new Error("tar failed");
  return path;
}
