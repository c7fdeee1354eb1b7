/**
 * A reader that knows docs/FORMAT.md and not a line of this project's code restores what this project wrote.
 *
 * It needs python3 with the packages blake3, cryptography and zstandard, and age 1.3 or later; without them these tests are
 * ignored. To have them:
 *
 *     python3 -m venv .venv && .venv/bin/pip install blake3==1.0.11 cryptography==50.0.2 zstandard==0.25.0
 *     GOBIN=$PWD/.bin go install filippo.io/age/cmd/age@v1.3.2
 *     PYTHON=$PWD/.venv/bin/python AGE=$PWD/.bin/age deno test -A tests/format
 */
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import assert from "node:assert/strict";
import { create, init, keyAdd } from "../../lib/verbs/mod.ts";
import { endOfArchive, makeHeader, paddingLength } from "../../lib/tar/mod.ts";
import { randomBytes } from "../chunker/generated.ts";
import { copyTree } from "./copy_tree.ts";
import { exampleBundle, exampleTar, join, utf8 } from "./example.ts";
import { DOCUMENT } from "./example_blocks.ts";
import { golden } from "./golden.ts";
import { testSession } from "./session.ts";

const PYTHON = Deno.env.get("PYTHON") ?? "python3";
const AGE = Deno.env.get("AGE") ?? "age";
const READER = new URL("reader.py", import.meta.url).pathname;

interface Run {
  code: number;
  stdout: Uint8Array;
  stderr: string;
}

async function run(program: string, args: string[]): Promise<Run | undefined> {
  try {
    const { code, stdout, stderr } = await new Deno.Command(program, { args, env: { AGE } }).output();
    return { code, stdout, stderr: new TextDecoder().decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function isReady(): Promise<boolean> {
  const packages = await run(PYTHON, ["-c", "import blake3, cryptography, zstandard"]);
  const version = await run(AGE, ["--version"]);
  const [, major, minor] = /v?(\d+)\.(\d+)/.exec(new TextDecoder().decode(version?.stdout)) ?? [];
  return packages?.code === 0 && (Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 3));
}

const ignore = !await isReady();
const needs = ignore ? " (needs python3 with blake3, cryptography, zstandard; and age 1.3)" : "";

function testWithReader(name: string, test: (home: string) => Promise<void>): void {
  Deno.test({
    name: name + needs,
    ignore,
    async fn() {
      const home = await Deno.makeTempDir({ prefix: "tarzan-reader-" });
      try {
        await test(home);
      } finally {
        await Deno.remove(home, { recursive: true });
      }
    },
  });
}

/** Runs the reader; what it wrote, and the names of entries. */
async function read(
  options: { home: string; repository: string; bundle: string; index: string; namesOnly?: boolean },
): Promise<Run & { stream: Uint8Array; names: string[] }> {
  const { home, repository, bundle, index } = options;
  const [stream, names] = [`${home}/stream`, `${home}/names`];
  await Deno.writeTextFile(`${home}/bundle.json`, bundle);
  const wanted = options.namesOnly ? [] : ["--stream", stream];
  const args = [READER, repository, `${home}/bundle.json`, `${repository}/${index}`, "--names", names, ...wanted];
  const done = await run(PYTHON, args);
  return {
    ...done!,
    stream: options.namesOnly ? new Uint8Array() : await Deno.readFile(stream).catch(() => new Uint8Array()),
    names: (await Deno.readTextFile(names).catch(() => "")).split("\n").slice(0, -1),
  };
}

testWithReader("the reader restores the golden repository and names its entries", async (home) => {
  const repository = golden.url.pathname;
  const { code, stderr, stream, names } = await read({
    home,
    repository,
    bundle: await exampleBundle(),
    index: golden.index,
  });
  assert.equal(code, 0, stderr);
  assert.deepEqual(stream, exampleTar());
  assert.deepEqual(names.map(fromHexText), ["docs/", "docs/hello.txt", "docs/numbers.txt"]);
});

testWithReader("the script in the document restores the golden repository", async (home) => {
  const script = /```python\n([^]*?)```/.exec(await Deno.readTextFile(DOCUMENT))![1]!;
  await Deno.writeTextFile(`${home}/restore.py`, script);
  await Deno.writeTextFile(`${home}/bundle.json`, await exampleBundle());
  const { pathname } = golden.url;
  const { stdout, stderr } = (await run(PYTHON, [
    `${home}/restore.py`,
    pathname,
    `${home}/bundle.json`,
    pathname + golden.index,
  ]))!;
  assert.deepEqual(stdout, exampleTar(), stderr);
});

/** A tar of many small files, some long names, a body of many chunks, and something behind it that is no tar. */
function* input(seed: number): Generator<{ name: string; bytes: Uint8Array }> {
  const entry = (name: string, body: Uint8Array, type: "-" | "d" = "-") => ({
    name,
    bytes: join([
      makeHeader({ name: utf8(name), type, size: body.length }),
      body,
      new Uint8Array(paddingLength(body.length)),
    ]),
  });
  yield entry("many/", new Uint8Array(), "d");
  for (let i = 0; i < 300; i++) yield entry(`many/${i}`, randomBytes(7 * i % 1500, i + 1));
  yield entry(`${"long/".repeat(60)}ünïcödé`, utf8("a long name"));
  yield entry("large", randomBytes(1_500_000, seed));
  yield entry("repeated", new Uint8Array(300_000).fill(7));
  yield { name: "", bytes: join([endOfArchive(), utf8("what stands here is no tar".repeat(3000))]) };
}

testWithReader("the reader restores what was written here, with keys that age took out of a slot", async (home) => {
  const repository = `${home}/repository`;
  const identity = await generateHybridIdentity();
  const session = testSession({ repository, home, identities: [identity], newPassphrase: "unused" });
  const { slots } = await init(session, {
    // Chunks of a few KiB, so that a little input makes long lists.
    chunkSizes: { min: 4096, average: 8192, max: 16384 },
    recipients: [await identityToRecipient(identity)],
    recipientsFiles: [],
    passphraseChoice: "none",
  });
  await Deno.writeTextFile(`${home}/identity`, `${identity}\n`);
  const slot = (await run(AGE, ["-d", "-i", `${home}/identity`, `${repository}/${slots[0]}`]))!;
  const bundle = new TextDecoder().decode(slot.stdout);
  // The second input shares nearly everything with the first; the third is cut off.
  for (const [seed, missingBytes] of [[1, 0], [2, 0], [2, 90_000]] as const) {
    const parts = [...input(seed)];
    const tar = join(parts.map(({ bytes }) => bytes)).slice(0, missingBytes === 0 ? undefined : -missingBytes);
    const { snapshot, complete } = await create(session, {
      out: undefined,
      label: undefined,
      tags: [],
      level: 1,
      brickSizeBytes: 16 * 1024 * 1024,
      source: { kind: "bytes", pieces: [tar] },
    });
    assert.equal(complete, missingBytes === 0);
    const domain = JSON.parse(bundle).domain.id;
    const done = await read({ home, repository, bundle, index: `index/${domain}/${snapshot}.json` });
    assert.equal(done.code, 0, done.stderr);
    assert.equal(done.stderr, "");
    assert.deepEqual(done.stream, tar);
    assert.deepEqual(done.names.map(fromHexText), parts.map(({ name }) => name).filter((name) => name !== ""));
  }
});

testWithReader("the reader lists with a list key, which opens no data brick", async (home) => {
  const repository = `${home}/repository`;
  await copyTree(golden.url.pathname, repository);
  const identity = await generateHybridIdentity();
  const session = testSession({ repository, home, identities: [await exampleBundle()] });
  const { slots } = await keyAdd(session, {
    role: "list",
    domain: undefined,
    label: "reader",
    out: undefined,
    recipients: [await identityToRecipient(identity)],
    recipientsFiles: [],
    passphraseChoice: "none",
  });
  await Deno.writeTextFile(`${home}/identity`, `${identity}\n`);
  const slot = (await run(AGE, ["-d", "-i", `${home}/identity`, `${repository}/${slots[0]}`]))!;
  const bundle = new TextDecoder().decode(slot.stdout);
  const { code, stderr, names } = await read({ home, repository, bundle, index: golden.index, namesOnly: true });
  assert.equal(code, 0, stderr);
  assert.deepEqual(names.map(fromHexText), ["docs/", "docs/hello.txt", "docs/numbers.txt"]);
});

testWithReader("the reader refuses a repository with one flipped bit, wherever it is", async (home) => {
  const bundle = await exampleBundle();
  const brick = await findBrick();
  const places: [string, number][] = [
    [golden.index, 100],
    [golden.index, -3],
    [golden.ledger, 8],
    [golden.ledger, 40],
    [golden.ledger, 5000],
    [brick, 7],
    [brick, 8],
    [brick, 10],
    [brick, 600],
    [brick, 1730],
    [brick, 1800],
    [brick, 40_000],
    [brick, 62_000],
    [brick, -1],
  ];
  for (const [name, at] of places) {
    const repository = `${home}/repository`;
    await copyTree(golden.url.pathname, repository);
    const bytes = await Deno.readFile(`${repository}/${name}`);
    const position = at < 0 ? bytes.length + at : at;
    bytes[position] = bytes[position]! ^ 2;
    await Deno.writeFile(`${repository}/${name}`, bytes);
    const { code, stderr } = await read({ home, repository, bundle, index: golden.index });
    assert.equal(code, 1, `${name}, byte ${at}: ${stderr}`);
    assert.match(stderr, /^damage: /m, `${name}, byte ${at}`);
    await Deno.remove(repository, { recursive: true });
  }
});

async function findBrick(): Promise<string> {
  for await (const { name: fan } of Deno.readDir(new URL("bricks/", golden.url))) {
    for await (const { name } of Deno.readDir(new URL(`bricks/${fan}/`, golden.url))) return `bricks/${fan}/${name}`;
  }
  throw new Error("The golden repository has no data brick");
}

function fromHexText(hex: string): string {
  return new TextDecoder().decode(Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16)));
}
