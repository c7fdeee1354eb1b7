/** Output for programs: docs/JSON.md describes every object. */

// What JSON.stringify leaves as it is, though it can move the cursor or reorder the text of a terminal.
const unsafe = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One object on one line. `schema` says what it is and in which version; undefined members are left out. */
export function jsonLine(schema: string, members: object): string {
  const text = JSON.stringify({ schema, ...members });
  return text.replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`) + "\n";
}
