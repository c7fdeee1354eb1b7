import { InterruptedError } from "./errors.ts";

/** What listens for Ctrl-C and SIGTERM during a command. */
export interface Interrupts {
  /** Aborted, with an InterruptedError as its reason, at the first signal. */
  readonly signal: AbortSignal;
  /** Stops listening. */
  stop(): void;
}

/**
 * One Ctrl-C may arrive several times: the terminal sends it to everybody in front of it, and programs that started us
 * (npx, `deno task`) pass it on as well. People are not that fast.
 */
const sameKeyMs = 300;

/**
 * Turns the first Ctrl-C or SIGTERM into an aborted signal, so that the command can stop in order (everything stored so
 * far stays usable). Who presses Ctrl-C a second time does not want to wait: `exit` is called at once.
 */
export function listenForInterrupts(
  exit: (code: number) => void,
  nowMs: () => number = () => performance.now(),
): Interrupts {
  const controller = new AbortController();
  let firstMs = 0;
  const names: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  const handlers = names.map((name) => {
    const handle = () => {
      const ms = nowMs();
      if (!controller.signal.aborted) {
        firstMs = ms;
        controller.abort(new InterruptedError(`Interrupted by ${name}`));
      } else if (ms - firstMs > sameKeyMs) exit(130);
    };
    Deno.addSignalListener(name, handle);
    return { name, handle };
  });
  return {
    signal: controller.signal,
    stop: () => handlers.forEach(({ name, handle }) => Deno.removeSignalListener(name, handle)),
  };
}
