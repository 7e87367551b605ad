// The numbers of a chart as a table, in its place.

import { number } from "./words.js";
import { element } from "./dom.js";

/**
 * A button that shows a table where the chart was, and the place of that table.
 *
 * `state()` gives what the chart shows now; `hides` are the elements that the table stands for.
 */
export function tableOf(state, ...hides) {
  const { title } = state();
  const place = element("div", { class: "wide", hidden: true, tabIndex: 0, role: "region", ariaLabel: `Numbers: ${title}` });
  const fill = () => place.replaceChildren(numbers(state()));
  return { button: toggle(title, place, hides, fill), place, refresh: () => place.hidden || fill() };
}

/** The button that lets a table stand where other elements did; `fill` is called before it is shown. */
export function toggle(title, place, hides, fill = () => {}) {
  const button = element("button", { type: "button", class: "plain small toggle", ariaPressed: "false", ariaLabel: `Show as table: ${title}` }, "Show as table");
  button.onclick = () => {
    const shown = place.hidden;
    if (shown) fill();
    place.hidden = !shown;
    for (const one of hides) if (one) one.hidden = shown;
    button.ariaPressed = String(shown);
  };
  return button;
}

/** One column where all series have the same places, else a row a point. */
function numbers(about) {
  const { series, x, y } = about;
  const digits = (value) => number(value, 4);
  const at = x.tell ?? x.format ?? digits;
  const places = [...new Set(series.flatMap((one) => one.points.map((point) => point.x)))].sort((a, b) => a - b);
  const together = series.every((one) => one.points.length === new Set(one.points.map((point) => point.x)).size) &&
    series.some((one) => one.points.length === places.length) && !series.some((one) => one.points.some((point) => point.note));
  const caption = element("caption", {}, about.title);
  if (together) {
    const rows = places.map((value) => {
      const cells = series.map((one) => cell(one.points.find((point) => point.x === value), digits));
      return element("tr", {}, element("th", { scope: "row", class: "figure" }, at(value)), cells);
    });
    return table(caption, [x.label || "when", ...series.map((one) => (series.length > 1 ? one.name : y.label))], rows);
  }
  const rows = series.flatMap((one) => one.points.map((point) =>
    element("tr", {}, element("th", { scope: "row" }, `${one.name} ${point.note ?? ""}`), element("td", { class: "figure" }, at(point.x)), cell(point, digits)),
  ));
  return table(caption, ["line", x.label, y.label], rows);
}

function cell(point, digits) {
  const span = point?.low != null && point.high != null ? ` (${digits(point.low)} to ${digits(point.high)})` : "";
  return element("td", { class: "figure" }, point?.y == null ? "–" : digits(point.y) + span);
}

function table(caption, headings, rows) {
  const head = headings.map((text, place) => element("th", { scope: "col", class: place ? "figure" : "" }, text));
  return element("table", { class: "table" }, caption, element("thead", {}, element("tr", {}, head)), element("tbody", {}, rows));
}
