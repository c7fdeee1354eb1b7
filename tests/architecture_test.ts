/**
 * Who may know whom. The table is the design's (docs/ARCHITECTURE.md draws it): a part may import the parts named here and
 * no other, through its door `mod.ts` and no other way, and nothing ever comes round in a circle. So each part can be
 * read, tested and replaced with only the parts below it in mind.
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path/posix";
import { type Import, importsOf } from "./project/imports.ts";
import { type Source, sourcesUnder } from "./project/sources.ts";
import { tokensOf } from "./project/tokens.ts";

/** The parts of lib that each part may import; `kernel` is the WebAssembly in kernel/wasm.ts. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  main: ["cli"],
  cli: [
    ...["verbs", "pipeline", "repository", "snapshot", "glacier", "brick"],
    ...["catalog", "store", "crypto", "chunker", "tar"],
  ],
  verbs: ["pipeline", "repository", "snapshot", "glacier", "brick", "catalog", "store", "crypto", "chunker", "tar"],
  pipeline: ["brick", "chunker", "crypto", "tar", "glacier"],
  repository: ["store", "brick", "catalog", "crypto", "snapshot", "glacier"],
  snapshot: ["crypto", "tar", "chunker"],
  glacier: ["store"],
  brick: ["crypto"],
  catalog: [],
  store: [],
  crypto: ["kernel"],
  chunker: ["crypto", "kernel"],
  tar: [],
  kernel: [],
};

/** Packages, modules of Node.js and files of data, and the parts that may import each. */
const mayImportPackage: Readonly<Record<string, readonly string[]>> = {
  "@aws-sdk/client-s3": ["store"],
  "@aws-sdk/credential-provider-node": ["store"],
  "@noble/ciphers": ["crypto"],
  "@smithy/signature-v4": ["glacier"],
  "age-encryption": ["crypto"],
  "hash-wasm": ["crypto"],
  "@optique/core": ["cli"],
  "node:buffer": ["catalog"],
  "node:crypto": ["crypto", "glacier", "pipeline", "store"],
  "node:fs/promises": ["store"],
  "node:http": ["glacier", "store"],
  "node:https": ["glacier"],
  "node:os": ["cli"],
  "node:path": ["catalog", "store", "verbs"],
  "node:sqlite": ["catalog"],
  "node:stream": ["glacier", "store"],
  "node:vm": ["crypto"],
  "node:zlib": ["brick", "catalog"],
  "deno.json": ["cli", "verbs"],
};

interface File extends Source {
  readonly part: string;
  readonly imports: readonly Import[];
  /** Paths of the project's files that it imports. */
  readonly uses: readonly string[];
  /** Paths of the project's files that it starts as threads: programs of their own, which talk to it by messages. */
  readonly starts: readonly string[];
}

const files: readonly File[] = (await sourcesUnder("main.ts", "lib", "kernel/wasm.ts")).map((source) => {
  const imports = importsOf(source.text);
  const paths = (ofWorkers: boolean) =>
    imports
      .filter(({ kind }) => (kind === "worker") === ofWorkers)
      .map(({ specifier }) => resolved(source.path, specifier))
      .filter((path) => path?.endsWith(".ts")) as string[];
  return { ...source, part: partOf(source.path), imports, uses: paths(false), starts: paths(true) };
});
const byPath = new Map(files.map((file) => [file.path, file]));

/** The project's path that a specifier means; undefined for a package. */
function resolved(path: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? join(dirname(path), specifier) : undefined;
}

function partOf(path: string): string {
  return path.match(/^lib\/([^/]+)\//)?.[1] ?? { "main.ts": "main", "kernel/wasm.ts": "kernel" }[path] ?? path;
}

/** The name under which a package is in the table: `@optique/core/message` is `@optique/core`. */
function packageOf(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier;
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

/** Each file and what it uses, as `a -> b`, where `wrong` says so. */
function violations(wrong: (file: File, used: string) => boolean): string[] {
  return files.flatMap((file) =>
    file.uses.filter((used) => wrong(file, used)).map((used) => `${file.path} -> ${used}`)
  );
}

Deno.test("every part of lib is in the table of the architecture, and every part in the table is there", () => {
  assert.deepEqual([...new Set(files.map(({ part }) => part))].sort(), Object.keys(mayImport).sort());
});

Deno.test("a part imports only the parts that the architecture allows it", () => {
  assert.deepEqual(
    violations(({ part }, used) => part !== partOf(used) && !mayImport[part]?.includes(partOf(used))),
    [],
  );
});

Deno.test("every imported file exists and is a part of the program", () => {
  assert.deepEqual(violations((_file, used) => !byPath.has(used)), []);
});

Deno.test("a thread runs a file of the part that starts it", () => {
  const wrong = files.filter(({ part, starts }) => starts.some((path) => !byPath.has(path) || partOf(path) !== part));
  assert.deepEqual(wrong.map(({ path }) => path), []);
});

Deno.test("a folder is entered only through its door, mod.ts", () => {
  // Folders within folders have doors too. Going out to the files of the folder around needs no door.
  const doorsOnTheWay = (from: string, used: string) => {
    const doors: string[] = [];
    for (let folder = dirname(used); folder !== "." && !from.startsWith(`${folder}/`); folder = dirname(folder)) {
      if (byPath.has(`${folder}/mod.ts`)) doors.push(`${folder}/mod.ts`);
    }
    return doors;
  };
  assert.deepEqual(violations((file, used) => doorsOnTheWay(file.path, used).some((door) => door !== used)), []);
  const parts = Object.keys(mayImport).filter((part) => !["main", "kernel"].includes(part));
  assert.deepEqual(parts.filter((part) => !byPath.has(`lib/${part}/mod.ts`)), []);
});

Deno.test("no file goes in by its own folder's door", () => {
  assert.deepEqual(violations((file, used) => used === `${dirname(file.path)}/mod.ts`), []);
});

Deno.test("no files import one another in a circle", () => {
  assert.deepEqual(circles(files.map(({ path, uses }) => [path, uses])), []);
});

Deno.test("no parts import one another in a circle, nor does the table let them", () => {
  const used = new Map<string, Set<string>>();
  for (const { part, uses } of files) {
    for (const other of uses.map(partOf)) {
      if (other !== part) used.set(part, (used.get(part) ?? new Set()).add(other));
    }
  }
  assert.deepEqual(circles([...used].map(([part, others]) => [part, [...others]])), []);
  assert.deepEqual(circles(Object.entries(mayImport)), []);
});

Deno.test("packages are imported only where the architecture allows it", () => {
  const wrong = files.flatMap(({ path, part, imports }) =>
    imports
      .filter(({ specifier }) => !resolved(path, specifier)?.endsWith(".ts"))
      .map(({ specifier }) => resolved(path, specifier) ?? packageOf(specifier))
      .filter((name) => !mayImportPackage[name]?.includes(part))
      .map((name) => `${path} -> ${name}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("every package in the table is imported by every part that may", () => {
  const imported = new Set(
    files.flatMap(({ path, part, imports }) =>
      imports.map(({ specifier }) => `${part} -> ${resolved(path, specifier) ?? packageOf(specifier)}`)
    ),
  );
  const allowed = Object.entries(mayImportPackage).flatMap(([name, parts]) =>
    parts.map((part) => `${part} -> ${name}`)
  );
  assert.deepEqual(allowed.filter((line) => !imported.has(line)), []);
});

Deno.test("every file can be reached from main.ts, as an import or as a thread", () => {
  const reached = new Set<string>();
  const visit = (path: string) => {
    if (reached.has(path)) return;
    reached.add(path);
    byPath.get(path)?.uses.forEach(visit);
    byPath.get(path)?.starts.forEach(visit);
  };
  visit("main.ts");
  assert.deepEqual(files.map(({ path }) => path).filter((path) => !reached.has(path)), []);
});

Deno.test("nothing in lib writes to the console, and only main.ts and cli end the process", () => {
  const wrong = files.flatMap(({ path, part, text }) => {
    const tokens = tokensOf(text);
    return tokens.flatMap(({ kind, text }, at) => {
      if (kind !== "word" || tokens[at + 1]?.text !== ".") return [];
      const exits = text === "Deno" && tokens[at + 2]?.text === "exit" && !["main", "cli"].includes(part);
      return text === "console" || exits ? [`${path}: ${text}.${tokens[at + 2]?.text}`] : [];
    });
  });
  assert.deepEqual(wrong, []);
});

/** Circles in a graph, each as `a -> b -> a`; not all of them, but none only if there is none. */
function circles(graph: readonly (readonly [string, readonly string[]])[]): string[] {
  const uses = new Map(graph);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (name: string, path: readonly string[]) => {
    if (path.includes(name)) found.push([...path.slice(path.indexOf(name)), name].join(" -> "));
    else if (!done.has(name)) {
      uses.get(name)?.forEach((next) => visit(next, [...path, name]));
      done.add(name);
    }
  };
  graph.forEach(([name]) => visit(name, []));
  return found;
}
