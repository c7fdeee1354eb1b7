/** Starts the emulator by hand: `deno run -A tests/emulator/main.ts [--port 4566] [--folder DIRECTORY]`. */
import { startEmulator } from "./mod.ts";

const options: { port?: number; folder?: string } = {};
for (let at = 0; at < Deno.args.length; at += 2) {
  const [name, value] = [Deno.args[at]!, Deno.args[at + 1] ?? ""];
  if (name === "--port" && /^[0-9]+$/.test(value)) options.port = Number(value);
  else if (name === "--folder" && value !== "") options.folder = value;
  else throw new Error(`${name} ${value}: the options are --port NUMBER and --folder DIRECTORY`);
}
const emulator = await startEmulator(options);
emulator.createBucket("backups");
emulator.createVault("backups");
const variables = { ...emulator.environment(), AWS_ENDPOINT_URL: emulator.endpoint };
const keys = Object.entries(variables).map(([name, value]) => `export ${name}=${value}`);
const text = `S3 and Amazon Glacier vaults at ${emulator.endpoint}; a bucket and a vault "backups" are there.

${keys.join("\n")}

Twelve hours pass:  curl -X POST '${emulator.endpoint}/_emulator/clock?advance=12h'
What was asked:     curl ${emulator.endpoint}/_emulator/requests
Another bucket:     curl -X POST '${emulator.endpoint}/_emulator/bucket?name=locked&lock=1'
Everything is forgotten when this ends (Ctrl-C).
`;
Deno.stdout.writeSync(new TextEncoder().encode(text));
