/** Variables that hold secrets. Programs that TARzan starts (tar, the COMMAND of `create`, hooks) never see them. */
const secretVariables: ReadonlySet<string> = new Set(["TARZAN_PASSPHRASE"]);

/** The environment for a child process, to be used with `clearEnv: true`: everything but our secrets. */
export function childEnvironment(all: Readonly<Record<string, string>>): Record<string, string> {
  // Names of environment variables do not distinguish case on Windows.
  return Object.fromEntries(Object.entries(all).filter(([name]) => !secretVariables.has(name.toUpperCase())));
}
