/**
 * Makes executables, in dist/ unless --out names another folder, and beside them the licences of what is inside.
 *
 *   deno task compile          tarzan (tarzan.exe on Windows), for this machine
 *   deno task compile:all      one for every released system, and SHA256SUMS
 *
 * `deno compile` fetches its base, denort, once a system from the Deno project; DENORT_BIN names a local copy (this
 * machine's system only).
 */
// deno-lint-ignore-file no-console
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./bundle.ts";
import { licensesOf } from "./licenses.ts";
import { executableConfig, type Project, stageProduct } from "./product.ts";
import { writeSums } from "./sums.ts";
import { targets } from "./targets.ts";

const root = resolve(import.meta.dirname!, "..");
const { values } = parseArgs({ options: { all: { type: "boolean" }, out: { type: "string" } } });
const folder = resolve(values.out ?? join(root, "dist"));
const project: Project = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));

await Deno.mkdir(folder, { recursive: true });
const stage = await Deno.makeTempDir();
const bundled = join(stage, "bundle");
try {
  await stageProduct(root, stage);
  await deno(["install", "--quiet"], stage);
  const { inputs } = await bundle(stage, bundled, project.compile.include);
  await Deno.writeTextFile(join(bundled, "deno.json"), JSON.stringify(executableConfig(project)));
  if (values.all) await compileAll();
  else await compile(join(folder, Deno.build.os === "windows" ? "tarzan.exe" : "tarzan"));
  await Deno.writeTextFile(join(folder, "LICENSES-OF-PACKAGES.txt"), await licensesOf(stage, Object.keys(inputs)));
} finally {
  await Deno.remove(stage, { recursive: true });
}

async function compileAll(): Promise<void> {
  if (Deno.env.get("DENORT_BIN")) {
    throw new Error("DENORT_BIN is one system's base and would end up in the executables of all; unset it for --all");
  }
  const files: string[] = [];
  for (const { triple, name } of targets) {
    const file = `tarzan-${project.version}-${name}`;
    await compile(join(folder, file), triple);
    files.push(file);
  }
  await writeSums(folder, files);
}

async function compile(path: string, triple?: string): Promise<void> {
  await deno([
    ...["compile", "--output", path],
    ...(triple === undefined ? [] : ["--target", triple]),
    ...project.compile.include.flatMap((file) => ["--include", `${basename(file, ".ts")}.js`]),
    `--permission-set=${project.compile.permissions}`,
    "--no-prompt", // standard input is a tar, not somebody who answers questions about permissions
    // Without this, the executable would load machine code from a file in /tmp whose name anybody can guess.
    "--no-code-cache",
    // Garbage is collected a little more often: a fifth less memory for four threads, for some 4 % of a restore's CPU.
    "--v8-flags=--max-semi-space-size=4,--heap-growing-percent=100",
    "--no-check", // the gate checks types
    "main.js",
  ], bundled);
  const { size } = await Deno.stat(path);
  console.log(`${path}: ${(size / 1e6).toFixed(1)} MB`);
}

/** Runs a command of Deno, whose own words say what is wrong where it fails. */
async function deno(args: readonly string[], cwd: string): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), { args: [...args], cwd, stdin: "null" }).spawn().status;
  if (!success) throw new Error(`Cannot make the executable: deno ${args[0]} failed, see above`);
}
