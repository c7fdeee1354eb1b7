import { processEnvironment, run } from "./lib/cli/mod.ts";

// Deno.exit and not Deno.exitCode: a worker or a pending read of the terminal must not keep a finished command alive.
Deno.exit(await run(Deno.args, processEnvironment()));
