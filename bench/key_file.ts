/** An age identity in a file: it opens a repository without the half second that a passphrase is made to take. */
import { generateHybridIdentity, identityToRecipient } from "age-encryption";

export interface KeyFile {
  file: string;
  identity: string;
  recipient: string;
}

/** Makes a new identity, of the post-quantum kind, and writes it to `file`. */
export async function makeKeyFile(file: string): Promise<KeyFile> {
  const identity = await generateHybridIdentity();
  await Deno.writeTextFile(file, identity + "\n", { mode: 0o600 });
  return { file, identity, recipient: await identityToRecipient(identity) };
}
