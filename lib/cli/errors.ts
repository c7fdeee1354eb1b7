/** The words on the command line do not make sense together; the message says which ones and what to write instead. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** The user (Ctrl-C) or the system (SIGTERM) asked to stop. */
export class InterruptedError extends Error {
  override name = "InterruptedError";
}

/** Whoever read our standard output has gone away, as `head` does. Nobody is left to be told, so nothing is printed. */
export class ClosedOutputError extends Error {
  override name = "ClosedOutputError";
}

/** There is no terminal to ask a question at. Whoever asks knows which options answer it instead, and says so. */
export class NoTerminalError extends Error {
  override name = "NoTerminalError";
}
