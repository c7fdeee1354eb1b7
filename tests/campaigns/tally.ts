/** Counts what a campaign tried, tells of each as it ends, and ends the program with the right exit code. */

/** Writes a line to standard output. */
export function say(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** Thrown by a case that cannot be tried on this machine. */
export class SkippedError extends Error {
  override name = "SkippedError";
}

/** The result of a campaign so far. */
export class Tally {
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  readonly #beganMs = performance.now();

  get failed(): number {
    return this.#failed;
  }

  /** Tries one case; what it returns is told with it. A case that fails does not end the campaign. */
  async attempt(name: string, test: () => Promise<string | void>): Promise<void> {
    const beganMs = performance.now();
    const tell = (verdict: string, more: string) => {
      const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
      say(`${verdict} ${name} (${seconds} s)${more === "" ? "" : `: ${more}`}`);
    };
    try {
      const remark = await test();
      this.#passed++;
      tell("ok     ", remark ?? "");
    } catch (error) {
      if (error instanceof SkippedError) {
        this.#skipped++;
        return tell("SKIPPED", error.message);
      }
      this.#failed++;
      tell("FAILED ", error instanceof Error ? error.stack ?? error.message : String(error));
    }
  }

  /** Counts cases that were not told of one by one. */
  add(counts: { passed?: number; failed?: number }): void {
    this.#passed += counts.passed ?? 0;
    this.#failed += counts.failed ?? 0;
  }

  /** Says the last line and ends the program. */
  end(): never {
    const seconds = ((performance.now() - this.#beganMs) / 1000).toFixed(0);
    const skipped = this.#skipped === 0 ? "" : ` (${this.#skipped} skipped)`;
    say(`took ${seconds} s${skipped}`);
    say(`${this.#passed} passed, ${this.#failed} failed`);
    Deno.exit(this.#failed === 0 ? 0 : 1);
  }
}
