/** Slots and the age command line tool open each other's files. Skipped where the tool is not installed. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readSlotInput } from "../../lib/crypto/armor.ts";
import { formatBundle, parseBundle } from "../../lib/crypto/bundle.ts";
import { createFullBundle } from "../../lib/crypto/grants.ts";
import { parseIdentityFile } from "../../lib/crypto/identity_file.ts";
import { openSlot, sealSlot } from "../../lib/crypto/slot.ts";

async function isInstalled(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function run(program: string, args: string[], input = ""): Promise<string> {
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  assert.ok(success, `${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

const age = await isInstalled("age") && await isInstalled("age-keygen");
/** `script` gives age a terminal, which it insists on for passphrases. */
const terminal = age && Deno.build.os === "linux" && await isInstalled("script");
const bundle = await createFullBundle({ repository: "ab".repeat(16), domainName: "home", config: "{}\n" });
const text = formatBundle(bundle);

async function inDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "tarzan-age-" });
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test({
  name: "age opens a slot that was sealed here to a recipient",
  ignore: !age,
  fn: () =>
    inDirectory(async (directory) => {
      const [identityFile, slotFile] = [join(directory, "id.txt"), join(directory, "slot.age")];
      await run("age-keygen", ["-o", identityFile]);
      const recipient = (await run("age-keygen", ["-y", identityFile])).trim();
      await Deno.writeFile(slotFile, await sealSlot(text, { recipients: [recipient] }));
      assert.equal(await run("age", ["-d", "-i", identityFile, slotFile]), text);
    }),
});

Deno.test({
  name: "a slot that age sealed to a recipient opens here, binary and armored",
  ignore: !age,
  fn: () =>
    inDirectory(async (directory) => {
      const [identityFile, slotFile] = [join(directory, "id.txt"), join(directory, "slot.age")];
      await run("age-keygen", ["-o", identityFile]);
      const recipient = (await run("age-keygen", ["-y", identityFile])).trim();
      const identities = parseIdentityFile(await Deno.readTextFile(identityFile));
      for (const form of [[], ["-a"]]) {
        await run("age", ["-r", recipient, ...form, "-o", slotFile], text);
        const slot = await readSlotInput(await Deno.readFile(slotFile));
        assert.deepEqual(parseBundle(await openSlot(slot, { identities })), bundle);
      }
    }),
});

Deno.test({
  name: "age opens a slot that was sealed here to a passphrase, and the other way round",
  ignore: !terminal,
  fn: () =>
    inDirectory(async (directory) => {
      const file = (name: string) => join(directory, name);
      const passphrase = "three blind mice";
      await Deno.writeFile(file("slot"), await sealSlot(text, { passphrase, workFactor: 10 }));
      await run("script", ["-qec", `age -d -o '${file("plain")}' '${file("slot")}'`, "/dev/null"], `${passphrase}\n`);
      assert.equal(await Deno.readTextFile(file("plain")), text);
      const twice = `${passphrase}\n${passphrase}\n`;
      await run("script", ["-qec", `age -p -o '${file("sealed")}' '${file("plain")}'`, "/dev/null"], twice);
      assert.equal(await openSlot(await Deno.readFile(file("sealed")), { passphrase }), text);
    }),
});
