/**
 * The staged product as a few files of plain JavaScript: one for each way in (the program and its threads), and what they
 * share. An executable loads its modules one by one, each with its text, its positions for errors and its place in the
 * list; as one file the same program starts in two thirds of the time and takes 50 MiB less (docs/BENCHMARKS.md).
 *
 * Names and lines stay as they are: an error tells where it was.
 */
import { build, type Metafile, type Plugin, stop } from "esbuild";
import { basename, join } from "node:path";

/** A file that a thread runs, as its source names it. Bundled, all stand in one folder and are JavaScript. */
const THREAD = /new URL\("\.\/([a-z_]+)\.ts", import\.meta\.url\)/g;

/** Bundles `main.ts` and these threads of the product in `stage` into the folder `out`; what went in. */
export async function bundle(stage: string, out: string, threads: readonly string[]): Promise<Metafile> {
  const started: string[] = [];
  try {
    const { metafile } = await build({
      absWorkingDir: stage,
      entryPoints: ["main.ts", ...threads],
      outdir: out,
      entryNames: "[name]",
      chunkNames: "[name]-[hash]",
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "esnext",
      // As Deno resolves packages.
      conditions: ["deno", "node", "import", "module"],
      mainFields: ["module", "main"],
      charset: "utf8",
      legalComments: "none",
      logLevel: "warning",
      metafile: true,
      plugins: [renameThreads((name) => started.push(name))],
    });
    const missing = threads.map((path) => basename(path, ".ts")).filter((name) => !started.includes(name));
    if (missing.length > 0) {
      throw new Error(`Nothing starts the thread ${missing.join(", ")}: see "compile" in deno.json`);
    }
    await refuseRequire(out, Object.keys(metafile.outputs));
    return metafile;
  } finally {
    await stop();
  }
}

function renameThreads(onThread: (name: string) => void): Plugin {
  return {
    name: "threads",
    setup(build) {
      build.onLoad({ filter: /[/\\]lib[/\\].*\.ts$/ }, async ({ path }) => {
        const contents = (await Deno.readTextFile(path)).replace(THREAD, (_, name: string) => {
          onThread(name);
          return `new URL("./${name}.js", import.meta.url)`;
        });
        return { contents, loader: "ts" };
      });
    },
  };
}

/** A package that asks for modules while it runs would find none in an executable. */
async function refuseRequire(out: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const text = await Deno.readTextFile(join(out, basename(file)));
    const call = /__require\("[^"]*"\)/.exec(text);
    if (call !== null) throw new Error(`${file} calls require: ${call[0]}. Import that package otherwise`);
  }
}
