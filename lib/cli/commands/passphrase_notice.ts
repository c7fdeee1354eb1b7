/**
 * What is said of a generated passphrase. It goes to standard error, also when nobody asked for messages: standard output
 * may be on its way to a printer or a file, and this is the only time that it is shown.
 */
export function passphraseNotice(passphrase: string): string {
  return `
The passphrase, shown only this once. Write it down now:

    ${passphrase}

`;
}
