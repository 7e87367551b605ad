// What a model was made with, as tables.

import { element } from "./dom.js";

/** The part of the view: first what is not segue's own default, the rest on demand. */
export function settings({ settings: all, set_apart: apart, built, kind }) {
  if (!Object.keys(all).length) return null;
  const own = Object.entries(apart);
  return element("section", { class: "stack", ariaLabel: "Settings" }, [
    element("h3", {}, "Settings"),
    element("p", { class: "lead" }, own.length ? "What was set, or proposed from the log, and is not segue's own default:" : "All are segue's own defaults."),
    own.length ? element("div", { class: "card" }, table("Settings that are no defaults", own)) : null,
    element("details", { class: "card" }, [
      element("summary", {}, element("h4", {}, "All settings")),
      element("div", { class: "sheaf" }, [
        kind === "network" ? [["the network, as built", flat(built)]] : [],
        parted(all),
      ].flat().map(([name, rows]) => element("div", {}, element("h5", {}, name), table(`Settings: ${name}`, rows)))),
    ]),
  ]);
}

/** Tables of settings: those of no table first. */
function parted(all) {
  const grouped = ([, values]) => values && typeof values === "object" && !Array.isArray(values);
  const entries = Object.entries(all);
  const general = entries.filter((one) => !grouped(one));
  return [...(general.length ? [["of all", general]] : []), ...entries.filter(grouped).map(([name, values]) => [name, flat(values)])];
}

function flat(values, within = "") {
  return Object.entries(values).flatMap(([name, value]) =>
    value && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length ? flat(value, `${within}${name}.`) : [[within + name, value]]);
}

function table(title, rows) {
  return element("div", { class: "wide", tabIndex: 0, role: "region", ariaLabel: title },
    element("table", { class: "table pairs", ariaLabel: title },
      element("tbody", {}, rows.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, element("code", {}, name)), element("td", {}, words(value)))))));
}

function words(value) {
  if (value === "" || value == null) return element("span", { class: "quiet" }, "not set");
  if (Array.isArray(value)) return value.length ? value.map(String).join(", ") : element("span", { class: "quiet" }, "none");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "object" && !Object.keys(value).length) return element("span", { class: "quiet" }, "none");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
