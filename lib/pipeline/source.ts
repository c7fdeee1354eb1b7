/** Where the input comes from: read into memory that the caller owns, one piece after the other. */

/** What to read: this process's standard input, a file, or the output of a program. */
export type SourceSpec =
  | { kind: "stdin" }
  | { kind: "file"; path: string }
  | { kind: "command"; argv: string[]; env: Record<string, string> }
  | { kind: "bytes"; pieces: Iterable<Uint8Array> };

export interface Source {
  /** Fills the start of `into`; the number of bytes, or null at the end. */
  read(into: Uint8Array): number | null | Promise<number | null>;
  /** Ends reading; for a program: its exit code, once it has ended. */
  close(): Promise<number | undefined>;
}

/** Opens a source. Pieces of `bytes` exist for callers that already hold the stream. */
export function openSource(spec: SourceSpec): Source {
  switch (spec.kind) {
    case "stdin":
      return { read: (into) => Deno.stdin.readSync(into), close: () => Promise.resolve(undefined) };
    case "file":
      return fileSource(spec.path);
    case "command":
      return commandSource(spec.argv, spec.env);
    case "bytes":
      return piecesSource(spec.pieces);
  }
}

function fileSource(path: string): Source {
  const file = Deno.openSync(path);
  return {
    read: (into) => file.readSync(into),
    close: () => {
      file.close();
      return Promise.resolve(undefined);
    },
  };
}

function commandSource(argv: string[], env: Record<string, string>): Source {
  const child = spawn(argv, env);
  const reader = child.stdout.getReader();
  let rest: Uint8Array = new Uint8Array();
  return {
    async read(into) {
      if (rest.length === 0) {
        const { value, done } = await reader.read();
        if (done) return null;
        rest = value;
      }
      const count = Math.min(rest.length, into.length);
      into.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return count;
    },
    async close() {
      await reader.cancel();
      return (await child.status).code;
    },
  };
}

function spawn(argv: string[], env: Record<string, string>): Deno.ChildProcess {
  try {
    const options = { args: argv.slice(1), clearEnv: true, env } as const;
    return new Deno.Command(argv[0]!, { ...options, stdin: "inherit", stdout: "piped", stderr: "inherit" }).spawn();
  } catch (cause) {
    throw new Error(`Cannot run ${argv[0]}: ${(cause as Error).message}. Nothing was stored`, { cause });
  }
}

function piecesSource(pieces: Iterable<Uint8Array>): Source {
  const iterator = pieces[Symbol.iterator]();
  let rest: Uint8Array = new Uint8Array();
  return {
    read(into) {
      while (rest.length === 0) {
        const next = iterator.next();
        if (next.done) return null;
        rest = next.value;
      }
      const count = Math.min(rest.length, into.length);
      into.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return count;
    },
    close: () => Promise.resolve(undefined),
  };
}
