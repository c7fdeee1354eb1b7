/**
 * File names in a tar, error texts of other programs and labels of other people's backups may hold escape sequences that
 * take over a terminal. Whatever did not come from us goes through here before it is shown.
 */

// C0 but tab and line feed, DEL, C1, and the Unicode marks that reorder text on the screen.
// deno-lint-ignore no-control-regex
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The text with every character that could move the cursor or reorder the line written as `\x1b` or `\u202e`. */
export function printable(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** `printable` for text that must stay on one line: tabs and line feeds are escaped too. */
export function printableLine(text: string): string {
  return printable(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}
