/** The three ways in which reading what somebody stored can fail; the command line gives each its own exit code. */

/** Bytes are not the bytes that were written: flipped, cut short, exchanged or forged. Exit code 4. */
export class DamageError extends Error {
  override name = "DamageError";
}

/** Genuine, as far as can be said, but written by a newer TARzan. Never a reason to delete or repair. Exit code 10. */
export class UnsupportedError extends Error {
  override name = "UnsupportedError";
}

/** The passphrase, identity, pin or role at hand does not open this. Exit code 6. */
export class WrongKeyError extends Error {
  override name = "WrongKeyError";
}
