import assert from "node:assert/strict";
import { childEnvironment } from "../../lib/cli/child_environment.ts";
import { newSecrets, openingSecrets, type SecretOptions, type SecretSurroundings } from "../../lib/cli/secrets.ts";

const posix = Deno.build.os !== "windows";
const ask = { confirm: false };

/** Surroundings that write down warnings and questions. */
function recording(variables: Record<string, string> = {}) {
  const warnings: string[] = [];
  const questions: { purpose: string; confirm: boolean; instead: string }[] = [];
  const around: SecretSurroundings = {
    variables: () => ({ PATH: Deno.env.get("PATH") ?? "", ...variables }),
    platform: Deno.build.os,
    warn: (message) => warnings.push(message),
    ask: (question) => {
      questions.push(question);
      return Promise.resolve("typed");
    },
  };
  return { warnings, questions, around };
}

async function withFile(text: string, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "secret-" });
  try {
    await Deno.writeTextFile(path, text);
    if (posix) await Deno.chmod(path, 0o600);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

async function passphrase(options: Partial<SecretOptions>, around: SecretSurroundings): Promise<string> {
  const secrets = await openingSecrets({ identityFiles: [], ...options }, around);
  return await secrets.passphrase("to open it", ask);
}

Deno.test("the sources of a passphrase are tried in the documented order", async () => {
  await withFile("from the file\n", async (passphraseFile) => {
    const passphraseCommand = "echo from the command";
    const { around } = recording({ TARZAN_PASSPHRASE: "from the environment" });
    const without = recording().around;
    const given = "from the option";
    const all = { passphraseFile, passphraseCommand, passphrase: given };
    assert.equal(await passphrase(all, around), "from the file");
    assert.equal(await passphrase({ passphraseCommand, passphrase: given }, around), "from the command");
    assert.equal(await passphrase({ passphrase: given }, around), "from the option");
    assert.equal(await passphrase({}, around), "from the environment");
    assert.equal(await passphrase({}, without), "typed");
  });
});

Deno.test("only the first line of a file counts, without its line end, and spaces belong to it", async () => {
  const { around } = recording();
  for (
    const [text, expected] of [["one\ntwo\n", "one"], ["one\r\ntwo", "one"], [" one ", " one "], ["Grüße\n", "Grüße"]]
  ) {
    await withFile(text ?? "", async (passphraseFile) => {
      assert.equal(await passphrase({ passphraseFile }, around), expected);
    });
  }
});

Deno.test("an empty or missing passphrase file is an error that names it", async () => {
  const { around } = recording();
  await withFile("\nsecond\n", async (passphraseFile) => {
    await assert.rejects(
      passphrase({ passphraseFile }, around),
      /first line of .*secret-.*--passphrase-file.* is empty/,
    );
  });
  const missing = passphrase({ passphraseFile: "no/such/file" }, around);
  await assert.rejects(missing, /Cannot read the passphrase file: no\/such\/file does not exist/);
});

Deno.test("a file without end is not read into memory", { ignore: Deno.build.os !== "linux" }, async () => {
  const { around } = recording();
  await assert.rejects(passphrase({ passphraseFile: "/dev/zero" }, around), /more than 1048576 bytes/);
  await assert.rejects(passphrase({ passphraseCommand: "cat /dev/zero" }, around), /more than 1048576 bytes/);
});

Deno.test("a file that everybody can read is warned about, and used", { ignore: !posix }, async () => {
  const { around, warnings } = recording();
  await withFile("secret", async (path) => {
    await Deno.chmod(path, 0o644);
    assert.equal(await passphrase({ passphraseFile: path }, around), "secret");
    assert.match(warnings[0] ?? "", /passphrase file .* can be read by every user.*chmod 600/);
    await openingSecrets({ identityFiles: [path] }, around);
    assert.match(warnings[1] ?? "", /identity file .* can be read by every user/);
    await Deno.chmod(path, 0o640);
    await passphrase({ passphraseFile: path }, around);
    assert.equal(warnings.length, 2);
  });
});

Deno.test("a passphrase on the command line is warned about", async () => {
  const { around, warnings } = recording();
  await passphrase({ passphrase: "x" }, around);
  assert.match(warnings[0] ?? "", /-P is visible to everybody/);
});

Deno.test("a passphrase command that fails or prints nothing is an error, whatever it printed", async () => {
  const { around, questions } = recording();
  await assert.rejects(
    passphrase({ passphraseCommand: "echo half; exit 3" }, around),
    /--passphrase-command "echo half; exit 3" ended with exit code 3/,
  );
  await assert.rejects(passphrase({ passphraseCommand: "exit 0" }, around), /is empty/);
  assert.deepEqual(questions, []);
});

Deno.test("a passphrase command gets neither our secrets nor our standard input", { ignore: !posix }, async () => {
  const { around } = recording({ TARZAN_PASSPHRASE: "hush", HARMLESS: "yes" });
  const script = 'read -r line; echo "[$TARZAN_PASSPHRASE][$HARMLESS][$line]"';
  assert.equal(await passphrase({ passphraseCommand: script }, around), "[][yes][]");
});

Deno.test("the environment for children lacks our secrets, in any case", () => {
  const all = { PATH: "/bin", TARZAN_PASSPHRASE: "hush", "tarzan_Passphrase": "hush", TARZAN_REPOSITORY: "/r" };
  assert.deepEqual(childEnvironment(all), { PATH: "/bin", TARZAN_REPOSITORY: "/r" });
});

Deno.test("a child process finds programs although our own environment is empty", () => {
  assert.deepEqual(childEnvironment({}), { PATH: "/usr/local/bin:/usr/bin:/bin" });
  assert.deepEqual(childEnvironment({ PATH: "" }), { PATH: "/usr/local/bin:/usr/bin:/bin" });
  assert.deepEqual(childEnvironment({ Path: "C:\\Windows" }), { Path: "C:\\Windows" });
});

Deno.test("nothing is asked before it is needed, and never twice", async () => {
  const { around, questions } = recording();
  const secrets = await openingSecrets({ identityFiles: [] }, around);
  assert.equal(questions.length, 0);
  assert.equal(await secrets.passphrase("to open it", ask), "typed");
  assert.equal(await secrets.passphrase("for something else", ask), "typed");
  assert.deepEqual(questions, [{
    purpose: "to open it",
    confirm: false,
    instead: "--passphrase-file FILE, --passphrase-command COMMAND, $TARZAN_PASSPHRASE or --identity FILE",
  }]);
});

Deno.test("identity files are read whole and in order, and a missing one is an error", async () => {
  const { around } = recording();
  await withFile("# mine\nAGE-SECRET-KEY-1\n", async (first) => {
    await withFile("second", async (second) => {
      const secrets = await openingSecrets({ identityFiles: [first, second], pin: "ab12" }, around);
      assert.deepEqual(secrets.identities, ["# mine\nAGE-SECRET-KEY-1\n", "second"]);
      assert.equal(secrets.pin, "ab12");
    });
  });
  const missing = openingSecrets({ identityFiles: ["no/such/key"] }, around);
  await assert.rejects(missing, /Cannot read the identity file: no\/such\/key does not exist/);
});

Deno.test("the passphrase of a new slot never comes from the one that opens the repository", async () => {
  const { around, questions } = recording({ TARZAN_PASSPHRASE: "the old one" });
  const typed = newSecrets({}, around);
  assert.equal(await typed.passphrase("for the new key", { confirm: true }), "typed");
  assert.deepEqual(questions, [{
    purpose: "for the new key",
    confirm: true,
    instead: "--new-passphrase-file FILE or --new-passphrase-command COMMAND",
  }]);
  const printed = newSecrets({ newPassphraseCommand: "echo the new one" }, around);
  assert.equal(await printed.passphrase("for the new key", { confirm: true }), "the new one");
});
