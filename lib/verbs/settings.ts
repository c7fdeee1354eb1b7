/**
 * How this machine writes bricks into a repository: a habit of the writer, not a part of the repository, and it may change
 * from run to run. `init` remembers what it was told in the user's configuration.
 */

export interface WriterSettings {
  /** zstd level. */
  level: number;
  brickSizeBytes: number;
}

const USUAL: WriterSettings = { level: 3, brickSizeBytes: 128 * 1024 * 1024 };

/** What was remembered for a repository, or the usual. */
export async function readSettings(config: string, repository: string): Promise<WriterSettings> {
  const path = settingsPath(config, repository);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return USUAL;
    throw error;
  }
  const { level, brickSizeBytes } = parse(text, path);
  const isWithin = (value: unknown, least: number, most: number): value is number =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
  if (!isWithin(level, 1, 19) || !isWithin(brickSizeBytes, 16 * 1024 * 1024, 1024 * 1024 * 1024)) {
    throw new Error(`Cannot use the settings in ${path}: level is 1 to 19, brickSizeBytes 16 MiB to 1 GiB`);
  }
  return { level, brickSizeBytes };
}

/** Remembers what was given; what was not stays as usual. */
export async function rememberSettings(
  config: string,
  repository: string,
  given: { level: number | undefined; brickSizeBytes: number | undefined },
): Promise<void> {
  if (given.level === undefined && given.brickSizeBytes === undefined) return;
  const { level = USUAL.level, brickSizeBytes = USUAL.brickSizeBytes } = given;
  const path = settingsPath(config, repository);
  await Deno.mkdir(`${config}/settings`, { recursive: true, mode: 0o700 });
  await Deno.writeTextFile(path, JSON.stringify({ level, brickSizeBytes }) + "\n", { mode: 0o600 });
}

function settingsPath(config: string, repository: string): string {
  return `${config}/settings/${repository}.json`;
}

function parse(text: string, path: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`Cannot read the settings in ${path}: ${(cause as Error).message}. Remove the file`, { cause });
  }
}
