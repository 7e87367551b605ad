// A model beside the baselines: large figures, dots and whiskers, groups of users and items, and every figure in a table.

import { element, fresh } from "./dom.js";
import { inline } from "./markdown.js";
import { grouped, spoken } from "./names.js";
import { chance } from "./verdict.js";
import { whiskers } from "./whiskers.js";
import { number, percent, wordOf } from "./words.js";

const KINDS = [
  ["By what is known of the user", (name) => /users$/.test(name)],
  ["By events read of the user", (name) => name.startsWith("after ")],
  ["By how well the item is known", (name) => name.startsWith("target ")],
  ["By whether the user had the target before", (name) => /targets$/.test(name)],
];

/** The part of the view; null where the folder holds no report. */
export function comparison({ name, metrics, settings }) {
  const report = metrics.report;
  const own = report?.rows?.find((row) => row.model === name);
  if (!own) return null;
  return element("section", { class: "stack", ariaLabel: "How good it is" }, [
    element("h3", {}, "How good it is"),
    figures(report, own),
    element("div", { class: "card" }, overall(report, own)),
    element("div", { class: "grid uneven" }, groups(report, own).map((figure) => element("div", { class: "card" }, figure))),
    everything(report, name, settings),
  ]);
}

/** What a stranger can picture: how often the next item is in the list, and how much of the catalog is shown. */
function figures(report, own) {
  const best = report.rows.find((row) => row.baseline && row !== own);
  const k = report.main.split("@")[1] ?? "10";
  const stats = [];
  const stat = (value, words) => stats.push(element("div", { class: "stat" }, element("dt", {}, words), element("dd", {}, value)));
  const [hits, theirs] = [own, best].map((row) => row?.metrics[`hr@${k}`]?.value);
  if (hits != null) {
    const beside = theirs == null ? "" : `; ${spoken(best.model)}: ${percent(theirs)}`;
    stat(percent(hits), `of the time the next item is among its ${k}${beside}`);
  }
  const covered = own.metrics[`coverage@${k}`]?.value;
  if (covered != null) stat(percent(covered), "of the catalog is in some list");
  stat(report.split.predictions.toLocaleString("en"), "predictions asked for, the whole catalog ranked each time");
  return element("dl", { class: "figures told" }, stats);
}

const dot = (value) => (value?.value == null ? null : value);

function overall(report, own) {
  const rows = report.rows.map((row) => ({
    name: spoken(row.model),
    strong: row === own,
    dots: [dot(row.metrics[report.main])],
    note: note(row, report),
  }));
  return whiskers({
    title: `${report.main} beside the baselines`,
    describe: `${rows.length} models with 95\u00a0% intervals; the table has the numbers.`,
    label: report.main,
    series: [report.main],
    rows,
    caption: meaning(report.main),
  });
}

function note(row, report) {
  const value = row.metrics[report.main];
  return value?.value == null ? "" : `${number(value.value)}${value.low == null ? "" : ` (${number(value.low)}–${number(value.high)})`}`;
}

function meaning(metric) {
  const [name, k] = metric.split("@");
  const told = wordOf({
    ndcg: `1 if the item that came next stood first each time, less the lower it stands, 0 where it is not among the ${k}.`,
    recall: `The share of what came next that is among the ${k}.`,
    hr: `How often what came next is among the ${k}.`,
    mrr: `1 divided by the place of what came next, 0 where it is not among the ${k}, on average.`,
  }, name, "");
  return `${told} Bars are 95\u00a0% intervals over users; all models learned from the same events and were asked the same.`.trim();
}

/** The model and the best baseline by groups of predictions, a figure for each kind of group. */
function groups(report, own) {
  const best = report.rows.find((row) => row.baseline && row !== own);
  return KINDS.map(([title, holds]) => {
    const names = Object.keys(report.groups ?? {}).filter(holds);
    if (!names.length) return null;
    const both = [own, best].filter(Boolean);
    return whiskers({
      title,
      describe: `${report.main} of ${both.map((row) => spoken(row.model)).join(" and ")} in ${names.length} groups; the table has the numbers.`,
      label: report.main,
      series: both.map((row) => spoken(row.model)),
      rows: names.map((group) => ({
        name: grouped(group),
        note: `${report.groups[group].toLocaleString("en")} asked`,
        dots: both.map((row) => dot(row.groups[group])),
      })),
    });
  }).filter(Boolean);
}

/** All figures of all models, with the paired test against the best baseline. */
function everything(report, name, settings) {
  const looks = (row) => `figure${row.model === name ? " own" : ""}`;
  const line = (words, told) =>
    element("tr", {}, element("th", { scope: "row" }, words), report.rows.map((row) => element("td", { class: looks(row) }, told(row))));
  const rows = [
    line(`${report.main} less the best baseline's`, (row) => (row.baseline && !row.against_best_baseline ? "the best baseline" : paired(row.against_best_baseline, settings))),
    ...Object.keys(report.rows[0].metrics).map((metric) => line(metric, (row) => span(row.metrics[metric]))),
  ];
  const id = fresh("all");
  return element("details", { class: "card" }, [
    element("summary", {}, element("h4", { id }, "Every figure, with intervals and paired tests")),
    element("div", { class: "wide", tabIndex: 0, role: "region", "aria-labelledby": id },
      element("table", { class: "table" },
        element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "metric"), report.rows.map((row) => element("th", { scope: "col", class: looks(row) }, spoken(row.model))))),
        element("tbody", {}, rows))),
    element("p", { class: "quiet small" }, `Differences are paired, prediction by prediction; p and 95\u00a0% intervals by a bootstrap over users. ${report.split.unknown_targets.toLocaleString("en")} of ${report.split.predictions.toLocaleString("en")} targets were unknown and are misses of every model.`),
    element("ul", { class: "bullets small quiet" }, report.notes.map((one) => element("li", {}, inline(one)))),
  ]);
}

function paired(found, settings) {
  if (found?.difference == null) return "–";
  const signed = (value) => `${value > 0 ? "+" : ""}${number(value)}`.replace("-", "−");
  return [signed(found.difference), under(`${signed(found.low)} to ${signed(found.high)}, ${chance(found.p, settings, "≤")}`)];
}

const under = (words) => element("span", { class: "under" }, words);

function span(value) {
  if (value?.value == null) return "–";
  return [number(value.value), value.low == null ? null : under(`${number(value.low)} to ${number(value.high)}`)];
}
