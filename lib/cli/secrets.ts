/**
 * Where the secrets of a run come from. No passphrase is read, computed or asked for before somebody needs it: a command
 * that turns out to need none asks for none. The first source that is given wins:
 * --passphrase-file, --passphrase-command, -P, $TARZAN_PASSPHRASE, and last the terminal.
 */
import { childEnvironment } from "./child_environment.ts";
import { firstLine, readSmall, readSmallFile } from "./small_file.ts";

/** The options that say where secrets are. */
export interface SecretOptions {
  readonly identityFiles: readonly string[];
  readonly passphraseFile?: string | undefined;
  readonly passphraseCommand?: string | undefined;
  readonly passphrase?: string | undefined;
  readonly pin?: string | undefined;
}

/** The options that say where the passphrase of a new slot is. */
export interface NewPassphraseOptions {
  readonly newPassphraseFile?: string | undefined;
  readonly newPassphraseCommand?: string | undefined;
}

/** What the secrets are taken from, beside the options. */
export interface SecretSurroundings {
  readonly variables: () => Readonly<Record<string, string>>;
  readonly platform: string;
  /** Tells the user something that is no error. */
  readonly warn: (message: string) => void;
  /** Asks at the terminal. */
  readonly ask: (question: { purpose: string; confirm: boolean; instead: string }) => Promise<string>;
}

/** The secrets of one run, handed to verbs. */
export interface Secrets {
  /**
   * The passphrase. `purpose` continues the question: `to open /srv/backup`. `confirm` is for a new one, which is typed
   * twice. One run has one passphrase: asking again gives the same without a question.
   */
  passphrase(purpose: string, options: { readonly confirm: boolean }): Promise<string>;
  /** The texts of the files given with --identity: age identities or tarzan key files. */
  readonly identities: readonly string[];
  /** The code given with --pin. */
  readonly pin?: string;
  /** Whether any source of a key was given, so that asking at the terminal is not the only way. */
  readonly given: boolean;
}

const variableName = "TARZAN_PASSPHRASE";

/** The names of the options that give a passphrase, for messages. */
interface PassphraseWords {
  readonly file: string;
  readonly command: string;
  /** Whether $TARZAN_PASSPHRASE counts, and age identities may stand in for it: yes for opening, no for a second, new one. */
  readonly forOpening: boolean;
}

const openingWords: PassphraseWords = { file: "--passphrase-file", command: "--passphrase-command", forOpening: true };

/** The secrets that open (or, with `init`, found) a repository. Identity files are read at once, a passphrase when needed. */
export async function openingSecrets(options: SecretOptions, around: SecretSurroundings): Promise<Secrets> {
  const identities: string[] = [];
  for (const path of options.identityFiles) identities.push(await readIdentity(path, around));
  const given = identities.length > 0 || Boolean(around.variables()[variableName]) ||
    [options.passphraseFile, options.passphraseCommand, options.passphrase].some((source) => source !== undefined);
  const secrets = { passphrase: lazyPassphrase(options, around, openingWords), identities, given };
  return options.pin === undefined ? secrets : { ...secrets, pin: options.pin };
}

/** The secrets of a slot about to be written, when the repository is opened with others: `key add` and `key passwd`. */
export function newSecrets(options: NewPassphraseOptions, around: SecretSurroundings): Secrets {
  const words = { file: "--new-passphrase-file", command: "--new-passphrase-command", forOpening: false };
  const { newPassphraseFile: passphraseFile, newPassphraseCommand: passphraseCommand } = options;
  return {
    passphrase: lazyPassphrase({ identityFiles: [], passphraseFile, passphraseCommand }, around, words),
    identities: [],
    given: passphraseFile !== undefined || passphraseCommand !== undefined,
  };
}

function lazyPassphrase(
  options: SecretOptions,
  around: SecretSurroundings,
  words: PassphraseWords,
): Secrets["passphrase"] {
  let found: Promise<string> | undefined;
  return (purpose, { confirm }) => found ??= findPassphrase(options, around, { ...words, purpose, confirm });
}

async function findPassphrase(
  options: SecretOptions,
  around: SecretSurroundings,
  wanted: PassphraseWords & { purpose: string; confirm: boolean },
): Promise<string> {
  if (options.passphraseFile !== undefined) {
    warnIfReadableByAll(options.passphraseFile, "passphrase file", around);
    const text = firstLine(await readSmallFile(options.passphraseFile, "passphrase file"));
    return notEmpty(text, `the first line of ${options.passphraseFile} (${wanted.file})`);
  }
  if (options.passphraseCommand !== undefined) {
    const text = firstLine(await outputOf(options.passphraseCommand, around, wanted.command));
    return notEmpty(text, `the first line printed by ${wanted.command} "${options.passphraseCommand}"`);
  }
  if (options.passphrase !== undefined) {
    around.warn(
      "A passphrase given with -P is visible to everybody on this machine and stays in the shell's history. " +
        "Use --passphrase-file or --passphrase-command instead.",
    );
    return notEmpty(options.passphrase, "the passphrase given with -P");
  }
  const variable = wanted.forOpening ? around.variables()[variableName] : undefined;
  if (variable) return variable;
  const instead = [`${wanted.file} FILE`, `${wanted.command} COMMAND`];
  if (wanted.forOpening) instead.push("$TARZAN_PASSPHRASE");
  if (wanted.forOpening && !wanted.confirm) instead.push("--identity FILE");
  const { purpose, confirm } = wanted;
  return await around.ask({ purpose, confirm, instead: `${instead.slice(0, -1).join(", ")} or ${instead.at(-1)}` });
}

function notEmpty(text: string, what: string): string {
  if (text === "") throw new Error(`There is no passphrase: ${what} is empty`);
  return text;
}

async function readIdentity(path: string, around: SecretSurroundings): Promise<string> {
  warnIfReadableByAll(path, "identity file", around);
  return new TextDecoder().decode(await readSmallFile(path, "identity file"));
}

/** Says so when other users of this machine can read a file with a secret. A missing file is for the reader to report. */
function warnIfReadableByAll(path: string, what: string, around: SecretSurroundings): void {
  let status: Deno.FileInfo;
  try {
    status = Deno.statSync(path);
  } catch {
    return;
  }
  // Windows has no such bits; a pipe (`<(pass show backup)`) is nobody else's.
  if (!status.isFile || status.mode === null || around.platform === "windows" || (status.mode & 0o004) === 0) return;
  around.warn(`The ${what} ${path} can be read by every user of this machine. Consider: chmod 600 ${path}`);
}

/**
 * What a command prints. The system's shell runs it, so that pipes and quotes work as people expect. Its standard input
 * is empty (ours is the tar) and its messages go where ours go.
 */
async function outputOf(command: string, around: SecretSurroundings, option: string): Promise<Uint8Array> {
  const [shell, ...args] = around.platform === "windows" ? ["cmd", "/d", "/s", "/c", command] : ["sh", "-c", command];
  await using child = new Deno.Command(shell ?? "sh", {
    args,
    clearEnv: true,
    env: childEnvironment(around.variables()),
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = await readSmall(child.stdout, `output of ${option} "${command}"`);
  const { code, signal } = await child.status;
  if (code !== 0) {
    const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
    throw new Error(`Cannot get the passphrase: ${option} "${command}" ${how}`);
  }
  return output;
}
