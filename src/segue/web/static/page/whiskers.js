// Dots with whiskers, a row each: values with their 95 % intervals, side by side on one axis.

import { axisOf } from "./chart_axis.js";
import { legend, SHAPES, shape } from "./chart_legend.js";
import { toggle } from "./chart_table.js";
import { drawn, element, fresh } from "./dom.js";
import { number } from "./words.js";

const NAMES = 186; // pixels beside the plot for the names of rows, where there is room
const TELL = 150;
const APART = 13;

/**
 * A figure of rows. `about`: {title, describe, label, format?, series: [name], rows: [{name, note?, strong?, dots}]},
 * where a dot is {value, low, high} or null, one a series. The same numbers stand in a table that a button shows.
 */
export function whiskers(about) {
  const svg = drawn("svg", { role: "img" });
  const plot = element("div", { class: "plot" }, svg);
  const draw = () => plot.clientWidth && paint(svg, about, Math.round(plot.clientWidth));
  new ResizeObserver(draw).observe(plot);
  const place = element("div", { class: "wide", hidden: true, tabIndex: 0, role: "region", ariaLabel: `Numbers: ${about.title}` }, table(about));
  const names = about.series.length > 1 ? key(about.series) : null;
  const button = toggle(about.title, place, [plot, names]);
  const head = element("div", { class: "chart-head" }, element("h4", { class: "chart-title" }, about.title), button);
  return element("figure", { class: "chart" }, [head, names, plot, place, about.caption && element("figcaption", {}, about.caption)]);
}

/** What the marks stand for; there is nothing to bring out. */
function key(series) {
  const samples = legend(series.map((name) => ({ name, line: false })), () => {});
  const items = [...samples.querySelectorAll("button")].map((button) => element("li", { class: "key" }, [...button.childNodes]));
  return element("ul", { class: "legend" }, items);
}

function paint(svg, about, width) {
  const beside = width >= 560;
  const many = about.series.length;
  const tall = (beside ? 14 : 32) + Math.max(16, many * APART);
  const height = about.rows.length * tall + 44;
  const [left, right] = beside ? [NAMES, width - TELL] : [4, width - 10];
  const dots = about.rows.flatMap((row) => row.dots).filter(Boolean);
  const ends = dots.flatMap((dot) => [dot.value, dot.low ?? dot.value, dot.high ?? dot.value]);
  const x = axisOf({ zero: true, format: about.format }, ends, left, right, Math.max(2, Math.floor((right - left) / 90)));
  const ids = [fresh("title"), fresh("desc")];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("height", height);
  svg.setAttribute("aria-labelledby", ids.join(" "));
  svg.replaceChildren(
    drawn("title", { id: ids[0] }, about.title),
    drawn("desc", { id: ids[1] }, about.describe ?? ""),
    ...x.ticks.flatMap((value) => [
      drawn("line", { class: "grid-line", x1: x.place(value), x2: x.place(value), y1: 0, y2: height - 40 }),
      text(x.place(value), height - 24, x.format(value), "middle"),
    ]),
    text(right, height - 4, about.label, "end"),
    ...about.rows.flatMap((row, place) => rowOf(row, place * tall, tall, x, beside, width, many)),
  );
}

function rowOf(row, top, tall, x, beside, width, many) {
  const middle = top + (beside ? tall / 2 : 18 + (tall - 18) / 2);
  const name = text(0, beside ? middle + 4 : top + 14, cut(row.name, beside ? 30 : room(row, width)), "start");
  if (row.strong) name.setAttribute("class", "over strong");
  const made = [drawn("g", {}, drawn("title", {}, row.name), name)];
  if (!beside && row.note) made.push(text(width, top + 14, row.note, "end"));
  row.dots.forEach((dot, place) => {
    if (!dot) return;
    const down = middle + (place - (many - 1) / 2) * APART;
    const color = many > 1 ? `var(--series-${place + 1})` : row.strong ? "var(--series-1)" : "var(--quiet)";
    if (dot.low != null && dot.high != null) {
      made.push(drawn("line", { class: "whisker across", x1: x.place(dot.low), x2: x.place(dot.high), y1: down, y2: down, stroke: color }));
    }
    made.push(shape(many > 1 ? SHAPES[place] : row.strong ? "circle" : "ring", x.place(dot.value), down, color));
  });
  if (beside && row.note) made.push(text(width, middle + 4, row.note, "end"));
  return made;
}

const LETTER = 6.6; // pixels, about
const room = (row, width) => Math.floor(width / LETTER) - (row.note?.length ?? 0) - 1;

const cut = (words, most) => (words.length > most ? `${words.slice(0, most - 1)}…` : words);

function text(x, y, content, anchor) {
  return drawn("text", { class: "over", x, y, "text-anchor": anchor }, content);
}

function table({ title, series, rows, label, format = (value) => number(value, 3) }) {
  const heads = series.length > 1 ? series : [label];
  const tell = (dot) => (!dot ? "–" : dot.low == null ? format(dot.value) : `${format(dot.value)} (${format(dot.low)} to ${format(dot.high)})`);
  return element(
    "table",
    { class: "table" },
    element("caption", {}, `${title}, with 95\u00a0% intervals`),
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, series.length > 1 ? "group" : "model"), heads.map((one) => element("th", { scope: "col", class: "figure" }, one)))),
    element("tbody", {}, rows.map((row) => element("tr", {}, element("th", { scope: "row" }, row.name), row.dots.map((dot) => element("td", { class: "figure" }, tell(dot)))))),
  );
}
