import assert from "node:assert/strict";
import { run } from "../../lib/cli/run.ts";
import type { Session } from "../../lib/cli/session.ts";
import { captureEnvironment } from "./captured_environment.ts";

const main = new URL("../../main.ts", import.meta.url).pathname;
const posix = Deno.build.os !== "windows";

Deno.test("help goes to standard output and is a success", async () => {
  const { environment, stdout, stderr } = captureEnvironment();
  assert.equal(await run(["list", "--help"], environment), 0);
  assert.match(stdout(), /^List the backups/);
  assert.equal(stderr(), "");
});

Deno.test("no word at all shows the help as a mistake", async () => {
  const { environment, stdout, stderr } = captureEnvironment();
  assert.equal(await run([], environment), 2);
  assert.equal(stdout(), "");
  assert.match(stderr(), /^TARzan keeps[^]*\ntarzan: Name a COMMAND\.\n$/);
});

Deno.test("a mistyped word exits with 2 and a sentence, or an object with --json", async () => {
  const text = captureEnvironment();
  assert.equal(await run(["lst"], text.environment), 2);
  assert.match(text.stderr(), /^tarzan: Unexpected option or argument: "lst"\.\nDid you mean list\?/);
  const json = captureEnvironment();
  assert.equal(await run(["lst", "--json"], json.environment), 2);
  const { schema, code, message } = JSON.parse(json.stderr());
  assert.deepEqual([schema, code], ["tarzan.error/1", 2]);
  assert.match(message, /Did you mean list/);
  const others = captureEnvironment();
  await run(["create", "x", "--", "tool", "--json"], others.environment);
  assert.match(others.stderr(), /^tarzan: /);
});

Deno.test("the exit code of a command is the exit code of the run, and so is that of its error", async () => {
  const { environment, stderr } = captureEnvironment();
  assert.equal(await run(["list"], environment, () => Promise.resolve(3)), 3);
  const damage = Object.assign(new Error("brick 3f is damaged"), { name: "DamageError" });
  assert.equal(await run(["list"], environment, () => Promise.reject(damage)), 4);
  assert.equal(stderr(), "tarzan: brick 3f is damaged\n");
});

Deno.test("a command gets its places, warnings, notes and secrets from the session", async () => {
  const captured = captureEnvironment({ TARZAN_STATE_DIR: "/s", TARZAN_PASSPHRASE: "hush" });
  const withSession = async (args: string[], use: (session: Session) => unknown) => {
    const code = await run(args, captured.environment, async (_request, session) => {
      await use(session);
      return 0;
    });
    assert.equal(code, 0, captured.stderr());
  };
  await withSession(["list", "-d", "/r", "--pin", "12", "--threads", "3"], async (session) => {
    assert.equal(session.places.repository(), "/r");
    assert.equal(session.repositoryGiven, true);
    assert.equal(session.places.state(), "/s");
    assert.equal(session.places.config(), "/home/ann/.config/tarzan");
    assert.equal(await session.secrets.passphrase("to open /r", { confirm: false }), "hush");
    assert.equal(session.secrets.pin, "12");
    assert.equal(session.threads, 3);
    assert.equal(session.childEnvironment()["TARZAN_PASSPHRASE"], undefined);
    session.warn("odd\x1b[2J");
    session.note("by the way");
  });
  assert.equal(captured.stderr(), "tarzan: warning: odd\\x1b[2J\nby the way\n");
  await withSession(["list", "--json"], (session) => {
    session.warn("odd");
    session.note("by the way");
  });
  assert.match(captured.stderr(), /\n\{"schema":"tarzan\.warning\/1","message":"odd"\}\n\{"schema":"tarzan\.note\/1",/);
  await withSession(["list", "-q"], (session) => session.note("silenced"));
  assert.ok(!captured.stderr().includes("silenced"));
});

Deno.test("the repository was named by the option or by the environment, or by nobody", async () => {
  const cases = [
    [["list"], {}, false],
    [["list", "-d", "/r"], {}, true],
    [["list"], { TARZAN_REPOSITORY: "/r" }, true],
    [
      ["list"],
      { TARZAN_REPOSITORY: "" },
      false,
    ],
  ] as const;
  for (const [args, variables, given] of cases) {
    const { environment } = captureEnvironment(variables);
    await run(args, environment, (_request, session) => {
      assert.equal(session.repositoryGiven, given);
      return Promise.resolve(0);
    });
  }
});

Deno.test("a result on the terminal with the progress line takes its place", async () => {
  const captured = captureEnvironment();
  let ms = 0;
  const terminal = { ...captured.environment.stderr, isTerminal: () => true };
  const environment = { ...captured.environment, stdout: terminal, stderr: terminal, nowMs: () => ms };
  await run(["list"], environment, async (_request, session) => {
    for (; ms < 1000; ms += 100) session.progress.update({ phase: "reading" });
    session.stdout.print("one\n");
    await session.stdout.write(new TextEncoder().encode("two\n"));
    return 0;
  });
  assert.ok(captured.stderr().endsWith("\r\x1b[Kone\ntwo\n"), captured.stderr());
});

Deno.test("without a terminal a passphrase that is needed is a usage error", async () => {
  const { environment, stderr } = captureEnvironment();
  const code = await run(["list"], environment, async (_request, session) => {
    await session.secrets.passphrase("to open /r", { confirm: false });
    return 0;
  });
  assert.equal(code, 2);
  assert.match(stderr(), /A passphrase to open \/r is needed.*--passphrase-file FILE.*\$TARZAN_PASSPHRASE/);
});

Deno.test("progress is drawn when asked for, and not otherwise", async () => {
  for (const [args, lines] of [[["list"], 0], [["list", "--progress"], 2], [["list", "--no-progress"], 0]] as const) {
    const captured = captureEnvironment();
    let ms = 0;
    const environment = { ...captured.environment, nowMs: () => ms };
    await run(args, environment, (_request, { progress }) => {
      for (; ms < 6000; ms += 100) progress.update({ phase: "reading", bytesDone: ms });
      return Promise.resolve(0);
    });
    assert.equal(captured.stderr().split("\n").length - 1, lines, args.join(" "));
  }
});

Deno.test("an identity file that is missing ends the run before the command begins", async () => {
  const { environment, stderr } = captureEnvironment();
  assert.equal(await run(["list", "--identity", "no/such/key"], environment, assert.fail), 1);
  assert.match(stderr(), /Cannot read the identity file: no\/such\/key does not exist/);
});

Deno.test("`tarzan --help | head -1` ends quietly", { ignore: !posix }, async () => {
  const script = `"$0" run --allow-all "$1" --help | head -1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await new Deno.Command("bash", { args: ["-c", script, Deno.execPath(), main] }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  assert.match(new TextDecoder().decode(stdout), /^TARzan keeps.*\n(0|141)\n$/);
});

Deno.test("nobody reading standard output is exit code 141 and no message", async () => {
  const captured = captureEnvironment();
  const gone = () => {
    throw new Deno.errors.BrokenPipe("os error 32");
  };
  const environment = { ...captured.environment, stdout: { ...captured.environment.stdout, writeSync: gone } };
  assert.equal(await run(["--help"], environment), 141);
  assert.equal(captured.stderr(), "");
  const deaf = { ...captured.environment, stderr: { ...captured.environment.stderr, writeSync: gone } };
  assert.equal(await run(["lst"], deaf), 2);
});

Deno.test(
  "in a real bash the completion script completes commands, options and files",
  { ignore: !posix },
  async () => {
    const script = `
    tarzan() { "$DENO" run --allow-all "$MAIN" "$@"; }
    eval "$(tarzan completion bash)"
    complete_at() { COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tarzan; echo "\${COMPREPLY[*]}"; }
    complete_at tarzan ver
    complete_at tarzan create --bri
    complete_at tarzan inspect lib/cli/grammar/li
  `;
    const { stdout, stderr } = await new Deno.Command("bash", {
      args: ["-c", script],
      cwd: new URL("../..", import.meta.url).pathname,
      env: { DENO: Deno.execPath(), MAIN: main },
    }).output();
    assert.equal(
      new TextDecoder().decode(stdout),
      "verify\n--brick-size\nlib/cli/grammar/list.ts\n",
      new TextDecoder().decode(stderr),
    );
  },
);
