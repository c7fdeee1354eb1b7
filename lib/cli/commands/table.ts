import { printableLine } from "../printable.ts";

/** A column of a table for people. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Numbers stand at the right. */
  readonly right?: boolean;
}

/** Rows below a line of titles, as wide as their content. The text of a cell may come from anybody. */
export function renderTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ cell }) => cellText(cell(row)))),
  ];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => lengthOf(line[i] ?? ""))));
  const padded = lines.map((line) =>
    line.map((text, i) => {
      const blanks = " ".repeat(widths[i]! - lengthOf(text));
      return columns[i]?.right ? blanks + text : text + blanks;
    }).join("  ").trimEnd()
  );
  return padded.join("\n") + "\n";
}

function cellText(text: string): string {
  return text === "" ? "-" : printableLine(text);
}

/** In characters, so that an umlaut counts once. */
function lengthOf(text: string): number {
  return [...text].length;
}
