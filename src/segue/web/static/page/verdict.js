// Whether a model is worth its keep, in plain words, from the report that it was saved with. Pure.

import { spoken } from "./names.js";
import { number, percent } from "./words.js";

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
 * {good, text}: `good` true: it wins; false: it does not; null: nobody can tell. Of groups it says nothing: a report
 * has no paired difference of them, and figures side by side tell too little.
 */
export function verdict({ name, metrics, settings }) {
  const report = metrics.report;
  const own = report?.rows?.find((row) => row.model === name);
  if (!own) return { good: null, text: "Nothing is known of how good it is: its folder holds no report of its training." };
  const baselines = report.rows.filter((row) => row.baseline && row.model !== name);
  const best = baselines[0];
  const where = asked(report.split);
  if (own.baseline) {
    const top = report.rows[0];
    const rest = top === own ? "It is the best of what it was compared with." : `${where} ${spoken(top.model)} does better.`;
    return { good: null, text: `It is a baseline, ${spoken(name)}: no network was learned. ${rest}` };
  }
  if (!best) return { good: null, text: `${where} it was compared with nothing.` };
  const gain = own.against_best_baseline ?? {};
  const base = best.metrics[report.main]?.value;
  const { difference, low, high, p } = gain;
  if (difference == null || low == null || high == null || !base) {
    return { good: null, text: `${where} there were too few users to tell it from ${spoken(best.model)}, the best baseline.` };
  }
  const by = `${percent(Math.abs(difference) / base)} in ${report.main}`;
  const span = `95\u00a0% interval ${signed(low / base)} to ${signed(high / base)}, ${chance(p, settings, "at most")}`;
  if (low > 0) return { good: true, text: `${where} it beats ${spoken(best.model)}, the best baseline, by ${by} (${span}).` };
  if (high < 0) {
    return { good: false, text: `It does not win. ${where} it is behind ${spoken(best.model)}, a baseline, by ${by} (${span}). Serve ${best.model} instead, or tune.` };
  }
  return { good: false, text: `It does not win. ${where} it cannot be told apart from ${spoken(best.model)}, a baseline: ${signed(difference / base)} in ${report.main} (${span}).` };
}

/** A p, never finer than the replicates of the bootstrap tell. */
export function chance(p, settings, atMost) {
  const floor = 1 / (settings?.evaluate?.replicates ?? 1000);
  return `p\u00a0${p <= floor ? atMost : "="}\u00a0${number(p, 2)}`;
}

const signed = (share) => `${share > 0 ? "+" : share < 0 ? "−" : ""}${percent(Math.abs(share))}`;

/** What the figures are not of, in sentences. */
export function caveats({ split, interrupted, update_of: update, finetuned_of: finetuned, metrics, left_out: leftOut }) {
  const found = [];
  if (split === "everything") found.push("The figures are not of these very weights: it has learned from everything since, the test part included. They are of the same model, learned from the events before it.");
  if (interrupted) found.push("Its training was interrupted: it knows the training part alone.");
  if (update) found.push(`It went on from version ${update}; the figures are of when that was first trained.${metrics.update?.verdict ? ` Of the update: ${metrics.update.verdict}.` : ""}`);
  if (finetuned) found.push(`It began with the core of version ${finetuned} of another catalog.`);
  return [...found, ...leftOut.map((one) => `Not shown whole: ${one}.`)];
}
