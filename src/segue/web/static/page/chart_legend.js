// Which line is which: shapes and colours, and buttons that bring out some of them.

import { drawn, element } from "./dom.js";

/** A shape a series: colours come again after four, shapes do not. */
export const SHAPES = ["circle", "square", "diamond", "triangle", "ring", "frame", "cross", "bar"];

const R = 4;

/** A mark of a shape, about a place. */
export function shape(kind, x, y, color) {
  const full = { fill: color, stroke: "none" };
  const hollow = { fill: "var(--surface)", stroke: color, "stroke-width": 1.75 };
  const line = { fill: "none", stroke: color, "stroke-width": 2 };
  const path = (d, look) => drawn("path", { d, class: "mark", ...look });
  const square = `M${x - R} ${y - R}h${2 * R}v${2 * R}h${-2 * R}z`;
  switch (kind) {
    case "square": return path(square, full);
    case "diamond": return path(`M${x} ${y - R - 1.5}l${R + 1.5} ${R + 1.5}l${-R - 1.5} ${R + 1.5}l${-R - 1.5} ${-R - 1.5}z`, full);
    case "triangle": return path(`M${x} ${y - R - 1}l${R + 1} ${2 * R}h${-2 * R - 2}z`, full);
    case "ring": return drawn("circle", { cx: x, cy: y, r: R - 0.25, class: "mark", ...hollow });
    case "frame": return path(square, hollow);
    case "cross": return path(`M${x - R} ${y - R}l${2 * R} ${2 * R}m0 ${-2 * R}l${-2 * R} ${2 * R}`, line);
    case "bar": return path(`M${x} ${y - R - 1}v${2 * R + 2}`, { ...line, "stroke-width": 3 });
    default: return drawn("circle", { cx: x, cy: y, r: R, class: "mark", ...full });
  }
}

/** A row of names, each a button that brings its series out; null where there is but one. */
export function legend(series, choose) {
  if (series.length < 2) return null;
  const chosen = new Set();
  const buttons = series.map((one, place) => {
    const color = `var(--series-${(place % 4) + 1})`;
    const sample = drawn(
      "svg",
      { viewBox: "0 0 26 12", width: 26, height: 12, "aria-hidden": "true" },
      one.line === false ? [] : drawn("path", { d: "M0 6H26", class: "line", stroke: color, "stroke-dasharray": place >= 4 ? "5 4" : null }),
      one.marks === false ? [] : shape(SHAPES[place % SHAPES.length], 13, 6, color),
    );
    const button = element("button", { type: "button", class: "plain key", ariaPressed: "false", title: `Bring out ${one.name}` }, sample, one.name);
    button.onclick = () => {
      if (!chosen.delete(one.name)) chosen.add(one.name);
      button.ariaPressed = String(chosen.has(one.name));
      choose(new Set(chosen));
    };
    return element("li", {}, button);
  });
  return element("ul", { class: "legend", ariaLabel: "Lines" }, buttons);
}
