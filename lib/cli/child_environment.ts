/** Variables that hold secrets. Programs that TARzan starts (tar, the COMMAND of `create`, hooks) never see them. */
const secretVariables: ReadonlySet<string> = new Set(["TARZAN_PASSPHRASE"]);

/** Where programs are looked for when nobody says: a timer or a hook may run us with an empty environment. */
const usualPath = "/usr/local/bin:/usr/bin:/bin";

/** The environment for a child process, to be used with `clearEnv: true`: everything but our secrets, and always a PATH. */
export function childEnvironment(all: Readonly<Record<string, string>>): Record<string, string> {
  // Names of environment variables do not distinguish case on Windows.
  const given = Object.entries(all).filter(([name]) => !secretVariables.has(name.toUpperCase()));
  const hasPath = given.some(([name, value]) => name.toUpperCase() === "PATH" && value !== "");
  return { ...Object.fromEntries(given), ...(hasPath ? {} : { PATH: usualPath }) };
}
