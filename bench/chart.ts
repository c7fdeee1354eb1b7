/** The times of one data set as a picture: a group of bars a phase, a bar a program, shorter is better. */
import { type Phase, PHASES } from "./contestants.ts";
import type { Findings } from "./report.ts";
import { seconds } from "./words.ts";

const COLOURS = ["#2a78d6", "#8a8f98", "#b9b3a4", "#d4b5a0", "#c9d1c4"];
const TITLES: Record<Phase, string> = {
  first: "first backup",
  again: "the same again",
  restore: "restore",
  check: "check of all data",
};
const LEFT = 130;
const WIDTH = 560;
const BAR = 16;
const GROUP_GAP = 26;

/** An SVG document of the results of `data`. Bars that are far longer than the others are cut, and say so. */
export function asPicture(findings: Findings, data: string): string {
  const own = findings.results.filter((result) => result.data === data);
  const programs = [...new Set(own.map(({ program }) => program))];
  const sorted = own.map(({ ms }) => ms).sort((a, b) => a - b);
  const usual = sorted[Math.floor((sorted.length - 1) * 0.8)]!;
  const longest = Math.min(sorted.at(-1)!, usual * 1.5);
  const parts: string[] = [];
  let y = 36;
  for (const phase of PHASES) {
    const results = own.filter((result) => result.phase === phase);
    if (results.length === 0) continue;
    parts.push(text(8, y, TITLES[phase], "class='title'"));
    y += 8;
    for (const { program, ms } of results) {
      const isCut = ms > longest;
      const width = Math.max(1, Math.min(ms, longest) / longest * WIDTH);
      const colour = COLOURS[programs.indexOf(program) % COLOURS.length];
      parts.push(text(LEFT - 8, y + BAR - 4, program, "text-anchor='end'"));
      parts.push(
        `<rect x='${LEFT}' y='${y}' width='${width.toFixed(1)}' height='${BAR - 3}' rx='2' fill='${colour}'/>`,
      );
      parts.push(text(LEFT + width + 6, y + BAR - 4, seconds(ms) + (isCut ? " (bar cut short)" : ""), ""));
      y += BAR;
    }
    y += GROUP_GAP;
  }
  const { name, bytes } = findings.data.find((set) => set.name === data)!;
  const title = `${name}, ${Math.round(bytes / 2 ** 20).toLocaleString("en")} MiB: seconds, shorter is better`;
  return [
    `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ${
      LEFT + WIDTH + 170
    } ${y}' font-family='sans-serif' font-size='12'>`,
    "<style>text{fill:#333}.title{font-weight:bold}@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>",
    text(8, 16, title, ""),
    ...parts,
    "</svg>",
  ].join("\n") + "\n";
}

function text(x: number, y: number, words: string, attributes: string): string {
  const escaped = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x='${x.toFixed(1)}' y='${y.toFixed(1)}' ${attributes}>${escaped}</text>`;
}
