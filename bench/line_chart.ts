/** Curves as a picture: both axes logarithmic, a line a series, its values written at its points. */

export interface Series {
  name: string;
  points: { x: number; y: number }[];
}

export interface LineChart {
  title: string;
  /** What the axis stands for. */
  x: string;
  series: Series[];
  /** How a value of the vertical axis is written. */
  format: (y: number) => string;
}

const COLOURS = ["#2a78d6", "#c2571a", "#2f8f5b", "#8a5bb8", "#8a8f98"];
const LEFT = 70;
const TOP = 34;
const WIDTH = 520;
const HEIGHT = 260;
const LEGEND = 190;

/** An SVG document of a chart. */
export function asCurves(chart: LineChart): string {
  const points = chart.series.flatMap(({ points }) => points);
  const x = scale(points.map((point) => point.x), { from: LEFT, to: LEFT + WIDTH });
  const y = scale(points.map((point) => point.y), { from: TOP + HEIGHT, to: TOP });
  const parts: string[] = [text(8, 18, chart.title, "class='title'")];
  for (const tick of y.ticks) {
    parts.push(`<path d='M${LEFT} ${at(y.place(tick))}h${WIDTH}' class='grid'/>`);
    parts.push(text(LEFT - 8, y.place(tick) + 4, chart.format(tick), "text-anchor='end'"));
  }
  for (const tick of x.ticks) {
    parts.push(`<path d='M${at(x.place(tick))} ${TOP}v${HEIGHT}' class='grid'/>`);
    parts.push(text(x.place(tick), TOP + HEIGHT + 18, short(tick), "text-anchor='middle'"));
  }
  parts.push(text(LEFT + WIDTH / 2, TOP + HEIGHT + 38, chart.x, "text-anchor='middle'"));
  // The names stand where their lines end, one below the other.
  let lowest = 0;
  const ended = chart.series.map((series, i) => ({ ...series, colour: COLOURS[i % COLOURS.length]! }))
    .toSorted((a, b) => b.points.at(-1)!.y - a.points.at(-1)!.y);
  for (const { name, points, colour } of ended) {
    const line = points.map((point) => `${at(x.place(point.x))},${at(y.place(point.y))}`).join(" ");
    parts.push(`<polyline points='${line}' fill='none' stroke='${colour}' stroke-width='2'/>`);
    for (const point of points) {
      parts.push(`<circle cx='${at(x.place(point.x))}' cy='${at(y.place(point.y))}' r='3' fill='${colour}'/>`);
    }
    const end = points.at(-1)!;
    lowest = Math.max(lowest + 15, y.place(end.y) + 4);
    parts.push(text(LEFT + WIDTH + 10, lowest, `${name}: ${chart.format(end.y)}`, `style='fill:${colour}'`));
  }
  return [
    `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ${LEFT + WIDTH + LEGEND} ${
      TOP + HEIGHT + 50
    }' font-family='sans-serif' font-size='12'>`,
    "<style>text{fill:#333}.title{font-weight:bold}.grid{stroke:#8884;stroke-width:1}" +
    "@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>",
    ...parts,
    "</svg>",
  ].join("\n") + "\n";
}

/** Where values lie on a logarithmic axis from one power of ten to another, and which of them are marked. */
function scale(values: number[], { from, to }: { from: number; to: number }) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return {
    place: (value: number) => from + (Math.log10(value) - low) / (high - low) * (to - from),
    ticks: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)),
  };
}

/** `3 M`, `10 k`. */
function short(value: number): string {
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e3]] as const) {
    if (value >= size) return `${value / size} ${unit}`;
  }
  return String(value);
}

function at(place: number): string {
  return place.toFixed(1);
}

function text(x: number, y: number, words: string, attributes: string): string {
  const escaped = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x='${at(x)}' y='${at(y)}' ${attributes}>${escaped}</text>`;
}
