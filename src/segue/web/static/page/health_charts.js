// The last five minutes of a server as lines.

import { chart } from "./chart.js";
import { element } from "./dom.js";
import { ago } from "./health_words.js";
import { KEPT } from "./readings.js";
import { total } from "./rates.js";

/** From the first reading to now: a minute at first, then five. */
function time(points, now) {
  const long = now - (points[0]?.at ?? now) > 55;
  const ticks = (count) => (!long ? [-60, -30, 0] : count > 4 ? [-300, -240, -180, -120, -60, 0] : [-300, -180, -60, 0]);
  return { label: "", low: long ? -KEPT : -60, high: 0, ticks, format: ago, tell: (value) => `${Math.round(-value)} s ago` };
}

const HEIGHT = 170, LEGEND = 31; // pixels; a chart of one line has no legend, and ends where those beside it do

const READ = "A line over the last five minutes, a point every two seconds; its numbers are in the table.";

const CHARTS = [
  {
    about: { title: "Requests a second", y: { label: "a second", zero: true, atLeast: 1 }, describe: READ },
    lines: { requests: (did) => did.rate },
  },
  {
    about: { title: "Time of a request, about", y: { label: "milliseconds", log: true }, describe: READ, empty: "nothing was asked" },
    lines: Object.fromEntries(
      [["half within", "p50"], ["90\u00a0% within", "p90"], ["99\u00a0% within", "p99"]].map(([name, key]) => [name, (did) => milliseconds(did.latency?.[key])]),
    ),
  },
  {
    about: { title: "Events a second", y: { label: "a second", zero: true, atLeast: 1 }, describe: READ },
    lines: { stored: (did) => did.events.get("stored") / did.seconds, "not stored": (did) => (total(did.events) - did.events.get("stored")) / did.seconds },
  },
  {
    about: { title: "Errors a second", y: { label: "a second", zero: true, atLeast: 1 }, describe: READ },
    lines: { errors: (did) => did.errors / did.seconds },
  },
];

const milliseconds = (quantile) => (quantile ? quantile.value * 1000 : null);

/** Cards with a chart each; `update(seen)` draws what the readings say. */
export function healthCharts() {
  const made = CHARTS.map(({ about, lines }) => {
    const series = seriesOf(lines, [], 0);
    return { lines, drawn: chart({ ...about, level: "h3", x: time([], 0), height: series.length > 1 ? HEIGHT : HEIGHT + LEGEND, series }) };
  });
  return {
    cards: made.map(({ drawn }) => element("div", { class: "card" }, drawn.figure)),
    update({ points, now }) {
      for (const { lines, drawn } of made) drawn.update(seriesOf(lines, points, now), { x: time(points, now) });
    },
  };
}

function seriesOf(lines, points, now) {
  return Object.entries(lines).map(([name, value]) => ({
    name,
    marks: false,
    points: points.map(({ at, did }) => ({ x: at - now, y: did ? known(value(did)) : null })),
  }));
}

const known = (value) => (value == null || Number.isNaN(value) ? null : value);

