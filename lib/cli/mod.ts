/** The command line: words and a terminal in, one call of a verb, and text, JSON and an exit code out. */
export { type Environment, processEnvironment } from "./environment.ts";
export { exitCodes } from "./exit_codes.ts";
export { run } from "./run.ts";
