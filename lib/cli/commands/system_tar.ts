/**
 * The system's own tar unpacks what is written to it: it knows owners, devices, ACLs and sparse files of its system better
 * than we ever would. Windows 10 and macOS have bsdtar under the same name, with the same options.
 */
import { InterruptedError } from "../errors.ts";

/** Takes the tar, piece by piece. */
export type TarInput = (bytes: Uint8Array) => Promise<void>;

/** How unpacking went. */
export interface Unpacked<Result> {
  /** What `feed` gave. */
  readonly result: Result;
  /** The exit code of tar. */
  readonly code: number;
}

/** Runs tar in a directory, which is made if need be, on what `feed` writes. It has ended when this returns or throws. */
export async function unpackWithTar<Result>(
  { directory, environment }: { readonly directory: string; readonly environment: Record<string, string> },
  feed: (input: TarInput) => Promise<Result>,
): Promise<Unpacked<Result>> {
  await makeDirectory(directory);
  const child = startTar(directory, environment);
  const writer = child.stdin.getWriter();
  let refused = false;
  let fed = false;
  const input = async (bytes: Uint8Array) => {
    if (refused) return;
    fed = true;
    try {
      await writer.write(bytes);
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      // Some tars end at the two zero blocks and do not read the zeros behind them: then all is well.
      refused = true;
      requireSuccess(await child.status, directory);
    }
  };
  try {
    const result = await feed(input);
    await end();
    const status = await child.status;
    if (status.signal !== null) requireSuccess(status, directory);
    return { result, code: status.code };
  } catch (error) {
    // Whatever tar was given so far, it unpacks; given nothing, it would complain of that beside the error itself.
    if (!fed) stop(child);
    await end();
    await child.status;
    throw error;
  }

  async function end(): Promise<void> {
    // A pipe that broke is closed already.
    await writer.close().catch(() => {});
  }
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await Deno.mkdir(directory, { recursive: true });
  } catch (cause) {
    throw new Error(`Cannot unpack into ${directory}: ${(cause as Error).message}`, { cause });
  }
}

function stop(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}

function startTar(directory: string, environment: Record<string, string>): Deno.ChildProcess {
  try {
    return new Deno.Command("tar", {
      args: ["-x", "-p", "-f", "-", "-C", directory],
      clearEnv: true,
      env: environment,
      stdin: "piped",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
  } catch (cause) {
    throw new Error(
      `Cannot run tar: ${(cause as Error).message}. Install it, or leave out --to and pipe the tar to another program`,
      { cause },
    );
  }
}

/** Throws unless tar ended well: what it had to say, it said on standard error. */
export function requireSuccess({ code, signal }: Pick<Deno.CommandStatus, "code" | "signal">, directory: string): void {
  // Ctrl-C goes to the whole group of processes, and tar may be quicker to end than we are.
  if (signal === "SIGINT") throw new InterruptedError("Interrupted while tar was unpacking");
  if (code === 0 && !signal) return;
  const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
  throw new Error(`tar ${how} while it unpacked into ${directory}. Not everything is there; its messages say why`);
}
