import { InterruptedError } from "./errors.ts";

/** What listens for Ctrl-C and SIGTERM during a command. */
export interface Interrupts {
  /** Aborted, with an InterruptedError as its reason, at the first signal. */
  readonly signal: AbortSignal;
  /** Stops listening. */
  stop(): void;
}

/**
 * Turns the first Ctrl-C or SIGTERM into an aborted signal, so that the command can stop in order (everything stored so
 * far stays usable). Who presses Ctrl-C a second time does not want to wait: `exit` is called at once.
 */
export function listenForInterrupts(exit: (code: number) => void): Interrupts {
  const controller = new AbortController();
  const names: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  const handlers = names.map((name) => {
    const handle = () => {
      if (controller.signal.aborted) exit(130);
      else controller.abort(new InterruptedError(`Interrupted by ${name}`));
    };
    Deno.addSignalListener(name, handle);
    return { name, handle };
  });
  return {
    signal: controller.signal,
    stop: () => handlers.forEach(({ name, handle }) => Deno.removeSignalListener(name, handle)),
  };
}
