// How a network learned: its loss on what it learned from, and its metric on what it did not, epoch by epoch.

import { chart } from "./chart.js";
import { number, wordOf } from "./words.js";
import { element } from "./dom.js";

const TITLES = { training: "How it learned", update: "How its last update learned" };

/** The part of the view; null where nothing was kept, as of a baseline. */
export function curves({ curves: kept }) {
  if (!kept.length) return null;
  return element("section", { class: "stack", ariaLabel: "How it learned" }, kept.flatMap((curve) => [
    element("h3", {}, wordOf(TITLES, curve.of)),
    element("p", { class: "lead" }, told(curve)),
    element("div", { class: "grid roomy" }, [drawnOf(curve, "loss"), drawnOf(curve, "value")].filter(Boolean)),
  ]));
}

/** What the curve says, in a sentence or two. */
export function told({ of, metric, epochs, taken }) {
  const pass = of === "update" ? "pass" : "epoch";
  const known = epochs.filter((one) => one.value != null);
  if (taken == null || !known.length) return `Its metric was not asked for while it learned; ${epochs.length} ${pass}es were made.`.replace("epoches", "epochs");
  const value = known.find((one) => one.epoch === taken).value;
  if (taken === 0) return `No pass over the new days was better than none: its weights stayed as they were (${metric} ${number(value)} on the validation part).`;
  const last = known.at(-1).epoch;
  const end = taken < last ? `later ones did not do better, so that one was taken` : `the last one; where it still rises, more of them may help`;
  return `${pass === "pass" ? "Pass" : "Epoch"} ${taken} of ${last} did best on the validation part (${metric} ${number(value)}): ${end}.`;
}

function drawnOf({ of, metric, epochs, taken }, key) {
  const points = epochs.filter((one) => one[key] != null).map((one) => ({ x: one.epoch, y: one[key] }));
  if (!points.length) return null;
  const loss = key === "loss";
  const at = points.find((point) => point.x === taken);
  const made = chart({
    title: loss ? "Training loss" : `${metric} on the validation part`,
    describe: `A line over ${points.length} epochs, from ${number(points[0].y)} to ${number(points.at(-1).y)}.`,
    x: { label: of === "update" ? "pass" : "epoch", whole: true, low: points[0].x === points.at(-1).x ? points[0].x - 1 : undefined },
    y: { label: loss ? "mean loss" : metric },
    height: 220,
    series: [{ name: loss ? "training" : "validation", points }],
    rings: !loss && at ? [{ ...at, label: "taken" }] : [],
    caption: loss ? "On what it learned from: it should fall." : "On events that it did not learn from: it should rise.",
  });
  return element("div", { class: "card" }, made.figure);
}
