/** What lies on this machine beside a repository: all of it can be lost, none of it is for other users to read. */

/** The folder of a repository's local state. */
export function stateFolder(state: string, repository: string): string {
  return `${state}/${repository}`;
}

/** Makes a folder that nobody else can read; its path. Backups need not keep what is in it. */
export async function ownFolder(path: string): Promise<string> {
  const text = "Signature: 8a477f597d28d172789f06886806bc55\n# What tarzan remembers; it can be made anew.\n";
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    if (Deno.build.os !== "windows") await Deno.chmod(path, 0o700);
    await Deno.writeTextFile(`${path}/CACHEDIR.TAG`, text, { mode: 0o600 });
  } catch (cause) {
    throw new Error(
      `Cannot write to ${path}, where tarzan keeps what it remembers of a repository: ${(cause as Error).message}. ` +
        "Make room there or allow it, or name another place with $TARZAN_STATE_DIR",
      { cause },
    );
  }
  return path;
}

/** Where the repository with this id was when this machine last used it. */
export async function knownLocation(state: string, repository: string): Promise<string | undefined> {
  if (!/^[0-9a-f]{32}$/.test(repository)) return undefined;
  try {
    return (await Deno.readTextFile(`${stateFolder(state, repository)}/location`)).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
