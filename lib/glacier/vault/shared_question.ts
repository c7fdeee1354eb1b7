/**
 * A question whose answer serves several askers at once: asked once while it is young enough. The one who asked first may
 * be stopped without failing the others.
 */
export class SharedQuestion<T> {
  readonly #ask: () => Promise<T>;
  #answer: Promise<T> | undefined;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  /** The answer; a failure is not kept. */
  async get(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const answer = this.#answer ??= this.#ask();
    answer.catch(() => {
      if (this.#answer === answer) this.#answer = undefined;
    });
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await Promise.race([answer, aborted]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** The next one asks anew. */
  forget(): void {
    this.#answer = undefined;
  }
}
