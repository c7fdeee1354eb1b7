/** A process of `child.ts` that a test talks to, line by line. */
export class Child {
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string>;

  constructor(...args: string[]) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", "--no-check", new URL("./child.ts", import.meta.url).pathname, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = linesOf(this.#process.stdout);
  }

  /** The next line that it prints; undefined when it has ended. */
  async line(): Promise<string | undefined> {
    const next = await this.#lines.next();
    return next.done ? undefined : next.value;
  }

  /** Lets it go on. */
  async go(): Promise<void> {
    const writer = this.#process.stdin.getWriter();
    await writer.write(new Uint8Array(1));
    writer.releaseLock();
  }

  /** Kills it as kill -9 does, and returns the lines that it had still printed. */
  async kill(): Promise<string[]> {
    this.#process.kill("SIGKILL");
    return await this.end();
  }

  /** Waits for its end and returns the lines that were not read yet. */
  async end(): Promise<string[]> {
    const rest = await Array.fromAsync(this.#lines);
    await this.#process.stdin.close().catch(ignoreBrokenPipe);
    await this.#process.status;
    return rest;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (text + piece).split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
}

function ignoreBrokenPipe(error: unknown): void {
  if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
}
