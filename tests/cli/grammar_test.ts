import assert from "node:assert/strict";
import { UsageError } from "../../lib/cli/errors.ts";
import { parseCommandLine, type Request } from "../../lib/cli/grammar/mod.ts";

const kib = 1024;
const mib = 1024 * kib;

const commands = [
  ...["create", "extract", "list", "verify", "init", "key", "rebuild", "bricks", "inspect", "checksum", "detach"],
  ...["key add", "key list", "key remove", "key passwd", "key show"],
  ...["plan", "thaw", "cost", "drill", "glacier-upload"],
];

function parse(...args: string[]): Request | undefined {
  return parseCommandLine(args, { print: assert.fail, colors: false, columns: 80, version: "1.2.3" });
}

/** What is printed instead of a request. */
function shown(args: string[], columns = 80): string {
  let text = "";
  const print = (more: string) => void (text += more);
  assert.equal(parseCommandLine(args, { print, colors: false, columns, version: "1.2.3" }), undefined);
  return text;
}

const general = { json: false, progress: undefined, threads: undefined, quiet: false };
const bucket = {
  endpoint: undefined,
  region: undefined,
  profile: undefined,
  pathStyle: undefined,
  uploadBytesPerSecond: undefined,
  downloadBytesPerSecond: undefined,
};
const keys = {
  repository: undefined,
  bucket,
  identityFiles: [],
  passphraseFile: undefined,
  passphraseCommand: undefined,
  passphrase: undefined,
  pin: undefined,
};
const brickStorage = {
  dataClass: undefined,
  metaClass: undefined,
  lockMode: undefined,
  lockDays: undefined,
  spoolBytes: undefined,
};
const writer = { level: undefined, brickSizeBytes: undefined, brickStorage };
const nobodyElse = { recipients: [], recipientsFiles: [], passphraseChoice: "ask" };
const founding = { chunkSizes: { min: 64 * kib, average: 256 * kib, max: mib }, cold: undefined, ...nobodyElse };
const noNewPassphrase = { newPassphraseFile: undefined, newPassphraseCommand: undefined };
const create = {
  command: "create",
  out: undefined,
  label: undefined,
  tags: [],
  defer: false,
  producer: [],
  founding: undefined,
  ...writer,
};

const init = { command: "init", ...founding, ...writer };

const cold = { tier: "bulk", days: 7, maxCost: undefined, windowBytes: undefined, sameRegion: false };
const extract = {
  ...{ command: "extract", backup: undefined, paths: [], to: undefined, noCache: false },
  cold: { ...cold, thaw: false, wait: false },
};
const glacierUpload = {
  ...{ command: "glacier-upload", to: undefined, dryRun: false, dropLocal: false, parallel: undefined },
};
const plan = {
  ...{ command: "plan", backup: undefined, paths: [], days: 7, sameRegion: false, offline: false, noCache: false },
};
const thaw = { command: "thaw", backup: undefined, paths: [], wait: false, noCache: false, ...cold };
const drill = {
  ...{ command: "drill", maxCost: 0.5, files: 5, tier: "bulk", days: 7, sameRegion: false, wait: false },
  noCache: false,
};

const noCold = {
  ...{ fromCold: undefined, repositoryId: undefined, tier: "bulk", days: 7, maxCost: undefined },
  ...{ sameRegion: false, wait: false },
};

const lines: [line: string, request: object][] = [
  [
    "init --class standard-ia --meta-class GLACIER_IR --lock-days 90 --lock-mode compliance --spool-limit 1GiB",
    {
      ...init,
      brickStorage: {
        dataClass: "STANDARD_IA",
        metaClass: "GLACIER_IR",
        lockDays: 90,
        lockMode: "COMPLIANCE",
        spoolBytes: 1024 * mib,
      },
    },
  ],
  [
    "create --endpoint http://127.0.0.1:9000 --region eu-central-1 --profile me --path-style --limit-upload 2MiB",
    {
      ...create,
      bucket: {
        ...bucket,
        endpoint: "http://127.0.0.1:9000",
        region: "eu-central-1",
        profile: "me",
        pathStyle: true,
        uploadBytesPerSecond: 2 * mib,
      },
    },
  ],
  ["init", init],
  ["init --level 9 --brick-size 512MiB", { ...init, level: 9, brickSizeBytes: 512 * mib }],
  [
    "init --chunk-min 16K --chunk-average 64KiB --chunk-max=256KiB",
    {
      ...init,
      chunkSizes: { min: 16 * kib, average: 64 * kib, max: 256 * kib },
    },
  ],
  [
    "init --no-passphrase --recipient age1a --recipient age1b --recipients-file team.txt",
    {
      ...init,
      recipients: ["age1a", "age1b"],
      recipientsFiles: ["team.txt"],
      passphraseChoice: "none",
    },
  ],
  ["init --generate-passphrase", { ...init, passphraseChoice: "generate" }],
  ["create", create],
  [
    "create --out b.idx --label nightly --tag a --tag b --level 19 --brick-size 1GiB",
    { ...create, out: "b.idx", label: "nightly", tags: ["a", "b"], level: 19, brickSizeBytes: 1024 * mib },
  ],
  ["create --init", { ...create, founding }],
  ["create --init --generate-passphrase", { ...create, founding: { ...founding, passphraseChoice: "generate" } }],
  ["create -- tar c --init --help -- -d x", { ...create, producer: ["tar", "c", "--init", "--help", "--", "-d", "x"] }],
  ["create --tag list -- extract", { ...create, tags: ["list"], producer: ["extract"] }],
  ["extract", extract],
  ["extract b.idx", { ...extract, backup: "b.idx" }],
  ["extract b.idx etc/* --to out home", { ...extract, backup: "b.idx", paths: ["etc/*", "home"], to: "out" }],
  ["extract --in b.idx etc home", { ...extract, backup: "b.idx", paths: ["etc", "home"] }],
  ["extract latest -- -strange -name", { ...extract, backup: "latest", paths: ["-strange", "-name"] }],
  ["extract etc --no-cache", { ...extract, backup: "etc", noCache: true }],
  [
    "extract --thaw --wait --tier standard --days 3 --max-cost 0.50 --window 500GiB --same-region",
    {
      ...extract,
      cold: {
        ...{ thaw: true, wait: true, tier: "standard", days: 3, maxCost: 0.5, windowBytes: 500 * 1024 * mib },
        sameRegion: true,
      },
    },
  ],
  ["plan", plan],
  [
    "plan --in b.idx etc --days 30 --offline --same-region --no-cache",
    { ...plan, backup: "b.idx", paths: ["etc"], days: 30, offline: true, sameRegion: true, noCache: true },
  ],
  ["thaw", { ...thaw }],
  [
    "thaw b.idx home --tier expedited --max-cost 5 --wait --window 1GiB",
    {
      ...thaw,
      ...{ backup: "b.idx", paths: ["home"], tier: "expedited", maxCost: 5, wait: true, windowBytes: 1024 * mib },
    },
  ],
  ["init --cold s3://cold/a?class=GLACIER", { ...init, cold: "s3://cold/a?class=GLACIER" }],
  ["create --defer", { ...create, defer: true }],
  ["create --init --cold glacier://us-east-1/v", {
    ...create,
    founding: { ...founding, cold: "glacier://us-east-1/v" },
  }],
  ["glacier-upload", glacierUpload],
  ["glacier-upload --to glacier://us-east-1/v --dry-run --drop-local --parallel 4", {
    ...glacierUpload,
    ...{ to: "glacier://us-east-1/v", dryRun: true, dropLocal: true, parallel: 4 },
  }],
  ["cost", { command: "cost" }],
  ["drill", drill],
  [
    "drill --max-cost 2 --files 12 --tier standard --days 4 --wait",
    { ...drill, maxCost: 2, files: 12, tier: "standard", days: 4, wait: true },
  ],
  ["list", { command: "list", backup: undefined, globs: [], long: false, noCache: false }],
  ["list latest --long", { command: "list", backup: "latest", globs: [], long: true, noCache: false }],
  ["list -l b.idx **/*.jpg etc", {
    command: "list",
    backup: "b.idx",
    globs: ["**/*.jpg", "etc"],
    long: true,
    noCache: false,
  }],
  ["verify", { command: "verify", backups: [], bricks: false, dataPercent: 0, inventory: false }],
  ["verify --bricks --data a.idx b.idx", {
    command: "verify",
    backups: ["a.idx", "b.idx"],
    bricks: true,
    dataPercent: 100,
    inventory: false,
  }],
  ["verify --inventory", { command: "verify", backups: [], bricks: false, dataPercent: 0, inventory: true }],
  ["verify a.idx --data=12.5%", {
    command: "verify",
    backups: ["a.idx"],
    bricks: false,
    dataPercent: 12.5,
    inventory: false,
  }],
  ["bricks", { command: "bricks", backup: undefined }],
  ["bricks b.idx", { command: "bricks", backup: "b.idx" }],
  ["rebuild", { command: "rebuild", ...noCold }],
  [
    "rebuild --from-cold s3://b/p --repository-id 0123456789ABCDEF0123456789abcdef --tier standard --days 3 --max-cost 2.50 " +
    "--same-region --wait",
    {
      command: "rebuild",
      fromCold: "s3://b/p",
      repositoryId: "0123456789abcdef0123456789abcdef",
      tier: "standard",
      days: 3,
      maxCost: 2.5,
      sameRegion: true,
      wait: true,
    },
  ],
  ["detach", { command: "detach", backup: undefined, out: undefined }],
  ["detach b.idx --out l.tar", { command: "detach", backup: "b.idx", out: "l.tar" }],
  [
    "key add --role write --domain web --label web1 --out web.key",
    {
      command: "key add",
      role: "write",
      domain: "web",
      label: "web1",
      out: "web.key",
      ...nobodyElse,
      ...noNewPassphrase,
    },
  ],
  [
    "key add --role full --new-passphrase-file new.txt",
    {
      command: "key add",
      role: "full",
      domain: undefined,
      label: undefined,
      out: undefined,
      ...nobodyElse,
      ...noNewPassphrase,
      newPassphraseFile: "new.txt",
    },
  ],
  ["key list", { command: "key list" }],
  ["key remove ann-3f", { command: "key remove", slot: "ann-3f" }],
  ["key passwd", { command: "key passwd", slot: undefined, passphraseChoice: "ask", ...noNewPassphrase }],
  [
    "key passwd ann --generate-passphrase",
    { command: "key passwd", slot: "ann", passphraseChoice: "generate", ...noNewPassphrase },
  ],
  ["key show", { command: "key show" }],
];

Deno.test("every command line about a repository becomes its request", () => {
  for (const [line, request] of lines) {
    assert.deepEqual({ ...parse(...line.split(" ")) }, { ...keys, ...general, ...request }, line);
  }
});

Deno.test("commands about files take no repository and no keys", () => {
  assert.deepEqual({ ...parse("inspect", "f") }, { command: "inspect", file: "f", ...general });
  assert.deepEqual({ ...parse("checksum", "a", "b") }, { command: "checksum", files: ["a", "b"], ...general });
  assert.throws(() => parse("inspect", "f", "-d", "x"), UsageError);
});

Deno.test("common options stand before or behind the command", () => {
  const words =
    "-d /r --identity a --identity b --passphrase-file p --passphrase-command c -P secret --pin 12 --json " +
    "--progress --threads 4 --quiet";
  const expected = {
    command: "rebuild",
    ...noCold,
    repository: "/r",
    bucket,
    identityFiles: ["a", "b"],
    passphraseFile: "p",
    passphraseCommand: "c",
    passphrase: "secret",
    pin: "12",
    json: true,
    progress: true,
    threads: 4,
    quiet: true,
  };
  assert.deepEqual({ ...parse("rebuild", ...words.split(" ")) }, expected);
  assert.deepEqual({ ...parse(...words.split(" "), "rebuild") }, expected);
  const request = parse("-q", "rebuild", "--no-progress", "--repository=/r");
  assert.deepEqual({ ...request }, {
    command: "rebuild",
    ...noCold,
    ...keys,
    ...general,
    quiet: true,
    progress: false,
    repository: "/r",
  });
});

const mistakes: [line: string, sentence: RegExp][] = [
  ["crate", /"crate".*\nDid you mean create\?\nTry: tarzan --help/],
  ["list --logn", /"--logn".*\nDid you mean [^]*--long[^]*\nTry: tarzan list --help/],
  ["verify --thread 4", /Did you mean --threads\?\nTry: tarzan verify --help/],
  ["key", /Say what to do: key add, key list, key remove, key passwd or key show/],
  ["key sho", /Did you mean show\?/],
  ["key add", /Missing option --role\.\nTry: tarzan key add --help/],
  ["key add --role admin", /Expected one of "full", "list", and "write", but got "admin"/],
  ["key add --role list --no-passphrase", /--no-passphrase.*add --recipient AGE or --recipients-file FILE/],
  ["key remove", /SLOT/],
  ["extract --window 1GiB", /--window needs --thaw --wait/],
  ["thaw --max-cost lots", /"lots" is not an amount of USD; write for example 5 or 0\.50/],
  ["thaw --tier slow", /Expected one of "bulk", "standard", and "expedited"/],
  ["checksum", /Name at least one FILE/],
  ["inspect", /Name the FILE/],
  ["inspect a b", /"b"/],
  ["create --out", /--out requires FILE/],
  ["create --out=", /nothing where FILE should be/],
  ["create backup.tar", /"backup\.tar" is not an option.*standard input \(tarzan create < backup\.tar\).*after "--"/],
  ["create x -- y", /"x" is not an option/],
  ["create --", /After "--" there must be a program/],
  ["create --recipient age1a", /--recipient is for a new repository: it needs --init/],
  ["create --chunk-max=2MiB", /--chunk-max is for a new repository: it needs --init/],
  ["create --level 20", /"20" is not a whole number from 1 to 19/],
  ["create --level 3.5", /"3\.5" is not a whole number/],
  ["create --brick-size 1MB", /could mean 1000s or 1024s; write 1MiB/],
  ["create --brick-size 2GiB", /2 GiB is out of range: at least 16 MiB, at most 1 GiB/],
  [
    "init --chunk-min 512KiB",
    /must grow from --chunk-min over --chunk-average to --chunk-max; they are 512 KiB, 256 KiB, 1 MiB/,
  ],
  ["init --level 20", /"20" is not a whole number from 1 to 19/],
  ["init --chunk-min 65537", /must be even numbers of bytes; 65537 is not/],
  ["init --no-passphrase", /somebody else must be able to open it/],
  ["init --no-passphrase --generate-passphrase", /cannot be used together/],
  ["verify --data=0%", /"0%" is not a percentage/],
  ["verify --data --data=5%", /cannot be used together/],
  ["list --threads 0", /"0" is not a whole number from 1 to 256/],
  ["list --progress --no-progress", /cannot be used together/],
  ["list -d a -d b", /-d/],
];

Deno.test("a command line that makes no sense is a usage error that helps", () => {
  for (const [line, sentence] of mistakes) {
    assert.throws(() => parse(...line.split(" ")), (error: Error) => {
      assert.ok(error instanceof UsageError, `${line}: ${error}`);
      assert.match(error.message, sentence, line);
      return true;
    }, line);
  }
});

Deno.test("every command's help has one sentence, its options and examples, and fits the terminal", () => {
  for (const command of commands) {
    for (const columns of [60, 80, 100]) {
      const help = shown([...command.split(" "), "--help"], columns);
      const [sentence, usage] = help.split("\n");
      assert.match(sentence ?? "", /^[A-Z].*\.$/, command);
      assert.ok(usage?.startsWith(`Usage: tarzan ${command}`), `${command}: ${usage}`);
      assert.match(help, /\nExamples?:\n {2}\S/, command);
      assert.match(help, /exit codes are listed by "tarzan --help"/, command);
      assert.match(help, /--json/, command);
      assert.doesNotMatch(help, /undefined|\[object| \n/, command);
      const tooWide = help.split("\n").find((line) => line.length > columns && !line.includes("tarzan"));
      assert.equal(tooWide, undefined, command);
    }
  }
});

Deno.test("the examples in the help are command lines that work", () => {
  for (const command of commands) {
    const examples = exampleLines(shown([...command.split(" "), "--help"]));
    assert.ok(examples.length > 0, command);
    for (const args of examples) {
      if (args.includes("--help")) continue;
      const request = parse(...args);
      assert.ok(request?.command.startsWith(command), `${command}: ${args.join(" ")}`);
    }
  }
  assert.ok(exampleLines(shown(["--help"])).length >= 4);
});

/** The words after `tarzan` in each example, as a shell would hand them over. */
function exampleLines(help: string): string[][] {
  const [, examples = ""] = help.split(/\nExamples?:\n/);
  const lines = (examples.split(/\n\n/)[0] ?? "").split("\n");
  return lines.map((line) => {
    const call = line.split(/ \| | && |\s{2,}/).find((part) => part.startsWith("tarzan ")) ?? assert.fail(line);
    const words: string[] = call.match(/'[^']*'|\S+/g) ?? [];
    const redirection = words.indexOf("<");
    return (redirection < 0 ? words : words.slice(0, redirection)).slice(1).map((word) => word.replaceAll("'", ""));
  });
}

Deno.test("every option in the issue of its command is in its help, with its default", () => {
  const expected: Record<string, string[]> = {
    init: [
      "--chunk-min SIZE",
      "(default: 64KiB)",
      "(default: 256KiB)",
      "(default: 1MiB)",
      "--level N",
      "--brick-size SIZE",
    ],
    create: [
      "--out FILE",
      "--label LABEL",
      "--tag TAG",
      "--init",
      "--level N",
      "--brick-size SIZE",
      "else 128MiB",
      "else 3",
      "-d, --repository PLACE",
    ],
    extract: ["--to DIR", "--in INDEX"],
    list: ["-l, --long"],
    verify: ["--bricks", "--data", "--data=10%"],
    detach: ["--out FILE"],
    "key add": [
      "--role ROLE",
      "--domain NAME",
      "--label LABEL",
      "--out FILE",
      "--recipient AGE",
      "--new-passphrase-file FILE",
    ],
    bricks: [
      "--identity FILE",
      "--passphrase-file FILE",
      "--passphrase-command COMMAND",
      "-P, --passphrase",
      "--pin CODE",
    ],
    rebuild: ["--json", "--progress, --no-progress", "--threads N", "-q, --quiet"],
  };
  for (const [command, words] of Object.entries(expected)) {
    const help = shown([...command.split(" "), "--help"], 100);
    for (const word of words) assert.ok(help.includes(word), `${command}: ${word}`);
  }
});

Deno.test("the main help lists every command once, the exit codes, and not the options for keys", () => {
  const help = shown(["--help"]);
  for (const command of commands.filter((name) => !name.includes(" "))) {
    assert.equal(help.match(new RegExp(`^ {2}${command} +[A-Z]`, "gm"))?.length, 1, command);
  }
  assert.match(help, /Exit codes:\n {4}0 {2}done\n/);
  assert.match(help, / 130 {2}interrupted/);
  assert.doesNotMatch(help, /--identity/);
  assert.equal(shown(["help"]), help);
  assert.equal(shown(["help", "create"]), shown(["create", "--help"]));
});

Deno.test("the version is one line", () => {
  assert.equal(shown(["--version"]), "tarzan 1.2.3\n");
});

Deno.test("completions know commands, options, roles, files and directories", () => {
  const suggestions = (...args: string[]) => shown(["completion", "bash", ...args]).split("\n").slice(0, -1);
  assert.deepEqual(suggestions("ver"), ["verify"]);
  assert.deepEqual(suggestions("create", "--o"), ["--out"]);
  assert.deepEqual(suggestions("key", "sh"), ["show"]);
  assert.deepEqual(suggestions("key", "add", "--role", "w"), ["write"]);
  assert.deepEqual(suggestions("create", "--out", "b"), ["__FILE__:any::b:0"]);
  assert.ok(suggestions("rebuild", "-d", "/mnt").includes("__FILE__:directory::/mnt:0"));
  assert.ok(suggestions("extract", "").includes("__FILE__:any:::0"));
  assert.ok(suggestions("").includes("create"));
});

Deno.test("there is a completion script for every shell", () => {
  for (const shell of ["bash", "zsh", "fish", "pwsh"]) {
    const script = shown(["completion", shell]);
    assert.match(script, new RegExp(`tarzan'? .*completion.*${shell}`, "s"), shell);
  }
  assert.throws(() => parse("completion", "tcsh"), UsageError);
});
