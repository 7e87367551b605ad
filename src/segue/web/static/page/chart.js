// Charts of lines and of points with whiskers, drawn as SVG for the width there is, each with a table of its numbers.

import { axisOf } from "./chart_axis.js";
import { legend, SHAPES, shape } from "./chart_legend.js";
import { tableOf } from "./chart_table.js";
import { drawn, element, fresh } from "./dom.js";
import { number } from "./words.js";

const SIDES = { top: 28, right: 14, left: 46 };
const bottomOf = (about) => (about.x.label ? 40 : 24);
const NEAR = 28; // pixels from the pointer within which a point is told of

/**
 * A figure with a chart in it; `update(series)` draws others, with the same look.
 *
 * `about`: {title, level? (of the heading), describe (a sentence for screen readers), x, y, height, series, rings, caption}. `x` and `y` are
 * axes as `axisOf` takes them, with a `label`. A series is {name, points: [{x, y, low?, high?, note?}], line?, marks?,
 * quiet?}; a `y` of null breaks its line. `rings` are points {x, y, label} to draw a ring around.
 */
export function chart(about) {
  const svg = drawn("svg", { role: "img" });
  const told = element("p", { class: "readout quiet small", ariaHidden: "true" });
  const figure = element("figure", { class: "chart" });
  const title = element(about.level ?? "h4", { class: "chart-title" }, about.title);
  const plot = element("div", { class: "plot" }, svg, told);
  const names = legend(about.series, (chosen) => draw(chosen));
  let state = { ...about, chosen: new Set() };
  let spots = [];

  function draw(chosen = state.chosen) {
    state = { ...state, chosen };
    const width = Math.round(plot.clientWidth);
    if (width) spots = paint(svg, state, width);
  }

  plot.onpointermove = (event) => {
    const box = svg.getBoundingClientRect();
    const near = nearest(spots, event.clientX - box.left, event.clientY - box.top);
    told.textContent = near?.text ?? "";
  };
  plot.onpointerleave = () => (told.textContent = "");
  new ResizeObserver(() => draw()).observe(plot);
  const table = tableOf(() => state, plot, names);
  figure.append(
    element("div", { class: "chart-head" }, title, table.button),
    ...[names, plot, table.place, about.caption && element("figcaption", {}, about.caption)].filter(Boolean),
  );
  return {
    figure,
    update(series, more = {}) {
      state = { ...state, ...more, series };
      draw();
      table.refresh();
    },
  };
}

function nearest(spots, x, y) {
  let best = null;
  for (const spot of spots) {
    const far = Math.hypot(spot.x - x, spot.y - y);
    if (far < NEAR && (!best || far < best.far)) best = { ...spot, far };
  }
  return best;
}

/** Draw it all; where the points are, with what to tell of them. */
function paint(svg, about, width) {
  const height = about.height ?? 240;
  const { top, right, left } = SIDES;
  const bottom = bottomOf(about);
  const points = about.series.flatMap((one) => one.points.filter((point) => point.y != null));
  const heights = points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]);
  const x = axisOf(about.x, points.map((point) => point.x), left, width - right, Math.max(3, Math.floor(width / 100)));
  const y = axisOf(about.y, heights, height - bottom, top, 4);
  const ids = [fresh("title"), fresh("desc")];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("height", height);
  svg.setAttribute("aria-labelledby", ids.join(" "));
  const spots = [];
  svg.replaceChildren(
    drawn("title", { id: ids[0] }, about.title),
    drawn("desc", { id: ids[1] }, about.describe ?? ""),
    ...axes(about, x, y, width, height),
    ...about.series.flatMap((one, place) => seriesOf(one, place, about, x, y, spots)),
    ...(about.rings ?? []).map((one) => ring(one, x, y, width)),
  );
  if (!points.length) svg.append(text((left + width) / 2, height / 2, about.empty ?? "nothing to show yet", "middle"));
  return spots;
}

function axes(about, x, y, width, height) {
  const { top, right, left } = SIDES;
  const lines = y.ticks.flatMap((value) => [
    drawn("line", { class: "grid-line", x1: left, x2: width - right, y1: y.place(value), y2: y.place(value) }),
    text(left - 8, y.place(value) + 4, y.format(value), "end"),
  ]);
  const below = x.ticks.map((value) => text(x.place(value), height - bottomOf(about) + 18, x.format(value), "middle"));
  return [
    ...lines,
    ...below,
    text(0, top - 16, about.y.label, "start"),
    text(width - right, height - 3, about.x.label, "end"),
  ];
}

function seriesOf(one, place, about, x, y, spots) {
  const color = `var(--series-${(place % 4) + 1})`;
  const fades = about.chosen.size && !about.chosen.has(one.name) ? "faded" : "";
  const made = [];
  if (one.line !== false) {
    for (const run of runs(one.points)) {
      const path = run.map((point) => `${x.place(point.x).toFixed(1)},${y.place(point.y).toFixed(1)}`).join(" ");
      made.push(drawn("polyline", { points: path, class: "line", stroke: color, "stroke-dasharray": dash(place) }));
      if (run.length === 1 && one.marks === false) made.push(dot(x.place(run[0].x), y.place(run[0].y), color));
    }
  }
  for (const point of one.points) {
    if (point.y == null) continue;
    const [across, down] = [x.place(point.x), y.place(point.y)];
    if (point.low != null && point.high != null) {
      const ends = { y1: y.place(point.low), y2: y.place(point.high) };
      made.push(drawn("line", { class: "whisker", x1: across, x2: across, ...ends, stroke: color }));
    }
    if (one.marks !== false) made.push(shape(SHAPES[place % SHAPES.length], across, down, color));
    const values = `${number(point.y)} ${about.y.label}, ${about.x.label} ${(about.x.tell ?? x.format)(point.x)}`;
    if (!fades) spots.push({ x: across, y: down, text: `${one.name}${point.note ? ` ${point.note}` : ""}: ${values}` });
  }
  return [drawn("g", { class: fades }, made)];
}

/** A line is broken where there is no value. */
function runs(points) {
  const found = [[]];
  for (const point of points) {
    if (point.y == null) found.push([]);
    else found.at(-1).push(point);
  }
  return found.filter((run) => run.length);
}

const dash = (place) => (place >= 4 ? "5 4" : null);
const dot = (x, y, color) => drawn("circle", { cx: x, cy: y, r: 2, fill: color });

function ring(point, x, y, width) {
  const [across, down] = [x.place(point.x), y.place(point.y)];
  const late = across > width * 0.6;
  const words = text(across + (late ? -14 : 14), down - 12, point.label, late ? "end" : "start");
  words.setAttribute("class", "ring-label");
  return drawn("g", {}, drawn("circle", { class: "ring", cx: across, cy: down, r: 9 }), words);
}

function text(x, y, content, anchor) {
  return drawn("text", { x, y, "text-anchor": anchor }, content);
}
