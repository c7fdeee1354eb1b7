import assert from "node:assert/strict";

/**
 * The three ways to a terminal, each with a real one: a Python script makes a pseudo-terminal and types. What is checked
 * is what a person would see, and that the terminal is usable afterwards.
 */
const python = findPython();
const fixture = new URL("fixtures/ask.ts", import.meta.url).pathname;
const driver = new URL("fixtures/typist.py", import.meta.url).pathname;

const ways = [
  { way: "standard input", stdin: "pty", permissions: [] },
  { way: "/dev/tty", stdin: "null", permissions: ["--allow-all"] },
  { way: "a shell, because Deno may not open /dev/tty", stdin: "null", permissions: ["--allow-run=sh", "--allow-env"] },
];

interface Seen {
  screen: string;
  output: string;
  code: number;
  restored: boolean;
}

function findPython(): string | undefined {
  if (Deno.build.os === "windows") return undefined;
  try {
    const { success } = new Deno.Command("python3", { args: ["-c", "import pty"], stderr: "null" }).outputSync();
    return success ? "python3" : undefined;
  } catch {
    return undefined;
  }
}

async function atTerminal(way: (typeof ways)[number], steps: [wait: string, type: string][]): Promise<Seen> {
  const command = [Deno.execPath(), "run", "--no-config", "--no-prompt", ...way.permissions, fixture];
  const job = JSON.stringify({ command, stdin: way.stdin, steps });
  const { stdout } = await new Deno.Command(python ?? "", { args: [driver, job] }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

for (const way of ways) {
  Deno.test(`by ${way.way}: a passphrase is taken without being shown, a question is answered`, {
    ignore: python === undefined,
  }, async () => {
    const seen = await atTerminal(way, [
      ["New passphrase for the test: ", "correct hörse\r"],
      ["The same again: ", "mistypt\r"],
      ["The two differ. New passphrase for the test: ", "correct hörsex\x7f\r"],
      ["The same again: ", "correct hörse\r"],
      ["Really? Type yes to go on: ", "yes\r"],
    ]);
    assert.equal(seen.output, "<correct hörse>\n<true>\n");
    assert.ok(!seen.screen.includes("hörse") && !seen.screen.includes("mistypt"), seen.screen);
    assert.match(seen.screen, /to go on: .*yes/);
    assert.equal(seen.code, 0);
    assert.ok(seen.restored);
  });

  // A signal may overtake what was typed before it, so only Ctrl-C comes in the middle of a line.
  for (const [how, typed] of [["Ctrl-C", "half\x03"], ["SIGTERM", "SIGTERM"]] as const) {
    Deno.test(`by ${way.way}: ${how} at a question exits with 130 and restores the terminal`, {
      ignore: python === undefined,
    }, async () => {
      const seen = await atTerminal(way, [["New passphrase for the test: ", typed]]);
      assert.match(seen.output, /^InterruptedError/, JSON.stringify(seen));
      assert.equal(seen.code, 130);
      assert.ok(seen.restored);
      assert.ok(!seen.screen.includes("half"), seen.screen);
    });
  }
}

Deno.test("without a terminal the question becomes a usage error", { ignore: Deno.build.os !== "linux" }, async () => {
  for (const permissions of [["--allow-all"], ["--allow-run=sh", "--allow-env"], []]) {
    const args = [Deno.execPath(), "run", "--no-config", "--no-prompt", ...permissions, fixture];
    // setsid takes the controlling terminal away that the tests themselves may have.
    const { code, stdout } = await new Deno.Command("setsid", { args: ["--wait", ...args], stdin: "null" }).output();
    assert.equal(code, 2);
    assert.match(new TextDecoder().decode(stdout), /UsageError: .*no terminal to ask at.*--passphrase-file FILE/);
  }
});
