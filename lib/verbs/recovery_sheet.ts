/** The recovery sheet: what to keep on paper, outside the house. */

export interface SheetFacts {
  location: string;
  /** Where data bricks sleep. */
  cold?: string;
  repository: string;
  code: string;
  slots: { name: string; text: string }[];
}

/** The text of the sheet; it holds no secret in clear. */
export function recoverySheet({ location, cold, repository, code, slots }: SheetFacts): string {
  const parts = slots.map(({ name, text }) => `Key slot ${name}\n${text.trimEnd()}\n`);
  return `TARzan recovery sheet. Print it; keep it where the backups are not.

Place        ${location}${cold === undefined ? "" : `\nCold place   ${cold}`}
Repository   ${repository}
Code         ${code}   (give it with --pin on a machine that has not seen this key)

To restore you need this repository and one of: the passphrase; the age identity
of a recipient. Write the passphrase here by hand: ______________________________

If the repository has lost its keys, type a slot below into a file and give it
with --identity FILE. "age -d FILE" (age-encryption.org) opens it as well.

${parts.join("\n")}`;
}
