/**
 * What goes into the executable, derived from the project's deno.json and deno.lock.
 *
 * The product has a lock with only the packages that `imports` of deno.json lead to: what tests alone need is named in
 * `scopes` and stays out. And it has a deno.json without the settings for working on TARzan: a Deno older than 2.8 refuses
 * one whose `test` names sanitizers.
 */
import { cp } from "node:fs/promises";
import { join } from "node:path";

/** The parts of deno.json that matter for the executable. */
export interface Project {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly permissions: Record<string, unknown>;
  readonly compilerOptions: Record<string, unknown>;
  /** Import map of everybody. */
  readonly imports: Record<string, string>;
  /** Import map of some folders: development packages. */
  readonly scopes: Record<string, Record<string, string>>;
  readonly compile: { readonly include: readonly string[]; readonly permissions: string };
}

/** deno.lock, version 5. */
export interface Lock {
  readonly version: string;
  /** What was asked for (`npm:name@version`) to the version that was chosen. */
  readonly specifiers: Record<string, string>;
  readonly npm: Record<string, LockedPackage>;
  readonly workspace: { readonly dependencies: readonly string[] };
}

/** A package of the lock, under `name@version`. */
export interface LockedPackage {
  readonly integrity: string;
  /** Names, or `name@version` where the lock has several versions. */
  readonly dependencies?: readonly string[];
}

/** Copies what the executable is made of from the project's folder into an empty one, where packages can be installed. */
export async function stageProduct(root: string, stage: string): Promise<void> {
  const project: Project = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const lock: Lock = JSON.parse(await Deno.readTextFile(join(root, "deno.lock")));
  await Deno.writeTextFile(join(stage, "deno.json"), JSON.stringify(productConfig(project)));
  await Deno.writeTextFile(join(stage, "deno.lock"), JSON.stringify(productLock(lock, project)));
  for (const path of ["main.ts", "lib", "kernel/wasm.ts"]) {
    await cp(join(root, path), join(stage, path), { recursive: true });
  }
}

/** The deno.json to bundle with; the program reads its version there. */
export function productConfig(project: Project): Record<string, unknown> {
  const { name, version, license, compilerOptions, imports } = project;
  const lock = { path: "deno.lock", frozen: true };
  // In a folder, where the bundler finds them.
  return { name, version, license, exports: "./main.ts", nodeModulesDir: "auto", lock, compilerOptions, imports };
}

/** The deno.json to compile with, beside the bundle. */
export function executableConfig({ name, version, license, permissions }: Project): Record<string, unknown> {
  return { name, version, license, permissions };
}

/** The lock with only what the product imports, directly or not. */
export function productLock(lock: Lock, project: Pick<Project, "imports">): Lock {
  const wanted = new Set(Object.values(project.imports));
  const specifiers = Object.fromEntries(Object.entries(lock.specifiers).filter(([specifier]) => wanted.has(specifier)));
  const missing = [...wanted].filter((specifier) => !(specifier in specifiers));
  if (missing.length > 0) {
    throw new Error(`deno.lock does not have ${missing.join(", ")}; run: deno install --frozen=false`);
  }
  const names = reachable(lock, [...wanted].map((specifier) => specifier.replace(/^npm:/, "")));
  return {
    version: lock.version,
    specifiers,
    npm: Object.fromEntries(Object.entries(lock.npm).filter(([name]) => names.has(name))),
    workspace: { dependencies: [...wanted].sort() },
  };
}

function reachable(lock: Lock, roots: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (wanted: string) => {
    const name = lockedName(lock, wanted);
    if (found.has(name)) return;
    found.add(name);
    lock.npm[name]?.dependencies?.forEach(visit);
  };
  roots.forEach(visit);
  return found;
}

/** The lock leaves the version out where it has but one. */
function lockedName(lock: Lock, wanted: string): string {
  if (wanted in lock.npm) return wanted;
  const candidates = Object.keys(lock.npm).filter((name) => name.slice(0, name.lastIndexOf("@")) === wanted);
  if (candidates.length === 1) return candidates[0]!;
  throw new Error(`deno.lock does not say which package ${wanted} is; run: deno install --frozen=false`);
}
