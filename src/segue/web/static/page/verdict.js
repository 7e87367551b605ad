// Whether a model is worth its keep, in plain words, from the report that it was saved with. Pure.

import { number } from "./chart_axis.js";

const NAMES = {
  popularity: "popularity",
  recent_popularity: "recent popularity",
  markov: "what followed the last item",
  sknn: "session neighbours",
  mix: "network and neighbours mixed",
};

/** A model's name for people; the names of cells are what they are. */
export const spoken = (name) => NAMES[name] ?? name;

const GROUPS = { "warm users": "users known before", "cold users": "users new to it" };

/** A group of predictions for people. */
export const grouped = (name) => GROUPS[name] ?? name;

/** A part of a whole in percent. */
export const percent = (part, digits = 2) => `${number(100 * part, digits)}\u00a0%`;

/** A day, of Unix seconds. */
export const day = (seconds) => new Date(seconds * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

/** What was asked: "On the last 10 % of the log by time". */
export function asked(split) {
  const whole = split.train + split.valid + split.test;
  if (split.kind === "time") return `On the last ${percent(split.test / whole)} of the log by time`;
  if (split.kind === "leave-one-out") return "On the last event of each user (which mixes times, and flatters every model)";
  return "On the part of the log that was kept for the test";
}

/**
 * {good, text, more}: `good` true: it wins; false: it does not; null: nobody can tell. `more` are sentences beside it.
 */
export function verdict({ name, metrics }) {
  const report = metrics.report;
  const own = report?.rows?.find((row) => row.model === name);
  if (!own) return { good: null, text: "Nothing is known of how good it is: its folder holds no report of its training.", more: [] };
  const baselines = report.rows.filter((row) => row.baseline && row.model !== name);
  const best = baselines[0];
  const where = asked(report.split);
  const more = groupsLost(report, own);
  if (own.baseline) {
    const top = report.rows[0];
    const rest = top === own ? "It is the best of what it was compared with." : `${where} ${spoken(top.model)} does better.`;
    return { good: null, text: `It is a baseline, ${spoken(name)}: no network was learned. ${rest}`, more };
  }
  if (!best) return { good: null, text: `${where} it was compared with nothing.`, more };
  const gain = own.against_best_baseline ?? {};
  const base = best.metrics[report.main]?.value;
  const { difference, low, high, p } = gain;
  if (difference == null || low == null || high == null || !base) {
    return { good: null, text: `${where} there were too few users to tell it from ${spoken(best.model)}, the best baseline.`, more };
  }
  const by = `${percent(Math.abs(difference) / base)} in ${report.main}`;
  const span = `95 % interval ${signed(low / base)} to ${signed(high / base)}, p ${p < 0.0015 ? "at most 0.001" : `= ${number(p, 2)}`}`;
  if (low > 0) return { good: true, text: `${where} it beats ${spoken(best.model)}, the best baseline, by ${by} (${span}).`, more };
  if (high < 0) {
    return { good: false, text: `It does not win. ${where} it is behind ${spoken(best.model)}, a baseline, by ${by} (${span}). Serve ${best.model} instead, or tune.`, more };
  }
  return { good: false, text: `It does not win. ${where} it cannot be told apart from ${spoken(best.model)}, a baseline: ${signed(difference / base)} in ${report.main} (${span}).`, more };
}

const signed = (share) => `${share > 0 ? "+" : share < 0 ? "−" : ""}${percent(Math.abs(share))}`;

/** Parts of what was asked in which a baseline is higher, by the figures themselves. */
function groupsLost(report, own) {
  const lost = Object.keys(report.groups ?? {}).flatMap((group) => {
    const mine = own.groups[group]?.value;
    const others = report.rows.filter((row) => row !== own && row.baseline && row.groups[group]?.value > mine);
    if (mine == null || !others.length) return [];
    const best = others.reduce((a, b) => (a.groups[group].value >= b.groups[group].value ? a : b));
    return [`${grouped(group)} (${spoken(best.model)} ${number(best.groups[group].value)}, it ${number(mine)}; ${report.groups[group].toLocaleString("en")} predictions)`];
  });
  return lost.length ? [`Not everywhere. A baseline has the higher figure for: ${lost.join("; ")}.`] : [];
}

/** What the figures are not of, in sentences. */
export function caveats({ split, interrupted, update_of: update, finetuned_of: finetuned, metrics, left_out: leftOut }) {
  const found = [];
  if (split === "everything") found.push("The figures are not of these very weights: it has learned from everything since, the test part included. They are of the same model, learned from the events before it.");
  if (interrupted) found.push("Its training was interrupted: it knows the training part alone.");
  if (update) found.push(`It went on from version ${update}; the figures are of when that was first trained.${metrics.update?.verdict ? ` Of the update: ${metrics.update.verdict}.` : ""}`);
  if (finetuned) found.push(`It began with the core of version ${finetuned} of another catalog.`);
  return [...found, ...leftOut.map((one) => `Not shown whole: ${one}.`)];
}
