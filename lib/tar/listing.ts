import type { Entry, EntryType } from "./entry.ts";

/** The first letter of a line of `tar tv`. Dumpdirs are directories there, and what has no letter is shown as "?". */
export function typeLetter(type: EntryType): string {
  return type === "D" ? "d" : type;
}

/** Type and permissions as `tar tv` and `ls -l` print them: "drwxr-xr-x". */
export function modeString({ type, mode }: Pick<Entry, "type" | "mode">): string {
  const triple = (shift: number, special: number, letter: string) => {
    const bits = mode >> shift;
    const execute = mode & special ? (bits & 1 ? letter : letter.toUpperCase()) : bits & 1 ? "x" : "-";
    return (bits & 4 ? "r" : "-") + (bits & 2 ? "w" : "-") + execute;
  };
  return typeLetter(type) + triple(6, 0o4000, "s") + triple(3, 0o2000, "s") + triple(0, 0o1000, "t");
}
