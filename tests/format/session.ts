/** A session for verbs, without a terminal. */
import type { VerbSession } from "../../lib/verbs/mod.ts";

/** `home` takes state and configuration; keys are given as texts. */
export function testSession(
  options: { repository: string; home: string; identities?: string[]; passphrase?: string; newPassphrase?: string },
): VerbSession {
  const { repository, home } = options;
  const secret = (passphrase: string | undefined) => () =>
    passphrase === undefined
      ? Promise.reject(new Error("This test has no passphrase to give"))
      : Promise.resolve(passphrase);
  return {
    places: { repository: () => repository, state: () => `${home}/state`, config: () => `${home}/config` },
    repositoryGiven: true,
    secrets: { passphrase: secret(options.passphrase), identities: options.identities ?? [] },
    newSecrets: { passphrase: secret(options.newPassphrase), identities: [] },
    progress: { update() {}, done() {} },
    signal: new AbortController().signal,
    threads: 2,
    keepsEntries: true,
    now: () => new Date(),
    childEnvironment: () => ({}),
    warn() {},
    note() {},
    askYes: () => Promise.resolve(true),
  };
}
