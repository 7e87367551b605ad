// Why: for an item of the list the events that moved it; for an event the items that it moved.

import { element, name } from "./dom.js";
import { called, duration, followedWords, plural, score, signed, sourceWords } from "./words.js";

/** The panel; `nodes` replace what it says. */
export function whyPanel() {
  const node = element("section", { class: "card why-panel", "aria-label": "Why" });
  return { node, say: (...nodes) => node.replaceChildren(...nodes.filter(Boolean)) };
}

/**
 * Why an item stands in the list.
 *
 * @param item of the list; with `reasons` once they have come.
 * @param asked `{ length, had, ruled, moment, about }`: of the list; whether there is a history; whether rules or
 *   diversity shaped the list; the time of the request; what is known of the item.
 * @param placeOf gives the place of an event in the strip by its number.
 */
export function whyItem(item, asked) {
  const text = called(item);
  const head = [
    element("p", { class: "small quiet" }, "Why"),
    element("h3", {}, name(text)),
    wholeTitle(text),
    element("p", { class: "small quiet" }, `Place ${item.rank} of ${asked.length}, score ${score(item.score)}. ${sourceWords(item.source)[2]}`),
  ];
  const { reasons } = item;
  if (!reasons) return [...head, element("p", { class: "small quiet" }, "Asking for the reasons…"), aboutItem(asked.about)];
  return [...head, ...pushed(reasons.events, asked.moment, asked.had), ...followed(reasons.followed), ruled(item, asked), aboutItem(asked.about)];
}

function wholeTitle(text) {
  if (name(text).textContent === String(text)) return null;
  return element("details", {}, element("summary", {}, "All of its title"), element("p", { class: "long small" }, name(text, { whole: true })));
}

/** The rest of the items table, which one may want to see or not. */
function aboutItem({ columns = {} } = {}) {
  const rows = Object.entries(columns);
  if (!rows.length) return null;
  const list = rows.map(([column, value]) => element("div", {}, element("dt", {}, name(column)), element("dd", {}, name(value))));
  return element("details", {}, element("summary", {}, "About this item"), element("dl", { class: "about small" }, list));
}

function pushed(events, moment, had) {
  if (!events.length) return had ? [element("p", {}, "No event that the model knows moved its score.")] : [];
  const most = Math.max(...events.map(({ difference }) => Math.abs(difference)));
  const rows = events.map((event) => {
    const { difference, time } = event;
    const up = difference > 0;
    const bar = element("span", {});
    bar.style.width = `${(100 * Math.abs(difference)) / most}%`;
    const ago = moment - time;
    return element("li", { class: up ? "raised" : "lowered" },
      element("span", { class: "push figure" }, `${up ? "▲" : "▼"} ${signed(difference)}`),
      element("span", { class: "pushed-by" }, name(called(event)),
        ago > 600 && element("span", { class: "ago small quiet" }, ` ${duration(ago)} ago`)),
      element("span", { class: "reach", "aria-hidden": "true" }, bar));
  });
  return [
    element("p", { class: "label" }, "Events that moved its score most"),
    element("ul", { class: "pushes" }, rows),
    element("p", { class: "small quiet" }, spoken(events[0])),
  ];
}

function spoken(event) {
  const { difference } = event;
  return ["Measured: without ", name(called(event)),
    ` the score would be ${score(Math.abs(difference))} ${difference > 0 ? "lower" : "higher"}.`];
}

function followed(pairs) {
  if (!pairs.length) return [];
  const sentences = pairs.map((pair) => element("li", {}, followedWords(pair).map((part) => (part.title == null ? part : name(part.title)))));
  return [element("p", { class: "label" }, "What others did"), element("ul", { class: "followed small" }, sentences)];
}

function ruled({ rank, reasons }, { ruled }) {
  if (!ruled) return null;
  const before = reasons.rank_without_rules;
  const words = before === null ? "By the model's score alone it would not be near this list."
    : before === rank ? "Diversity and rules left it where the model's score puts it."
      : `By the model's score alone it would be at place ${before}; diversity or rules put it at ${rank}.`;
  return element("p", { class: "note small" }, words);
}

/**
 * What an event did to the list.
 *
 * @param event of the strip.
 * @param moved listed items with the difference that the event made, the largest first; null: that is asked for still.
 * @param told `{ earlier, later, remove }`: functions, or null where that cannot be.
 */
export function whyEvent(event, moved, told) {
  const text = called(event);
  const button = (words, act) => element("button", { type: "button", disabled: !act, onclick: act }, words);
  const rows = (moved ?? []).map(({ item, difference }) => element("li", { class: difference > 0 ? "raised" : "lowered" },
    element("span", { class: "push figure" }, `${difference > 0 ? "▲" : "▼"} ${signed(difference)}`),
    element("span", { class: "pushed-by" }, name(called(item)))));
  return [
    element("p", { class: "small quiet" }, "What it did"),
    element("h3", {}, name(text)),
    wholeTitle(text),
    element("p", { class: "small quiet" }, when(event)),
    element("p", rows.length ? { class: "label" } : {}, didWhat(moved, event)),
    element("ul", { class: "pushes" }, rows),
    element("p", { class: "row" }, button("Earlier", told.earlier), button("Later", told.later), button("Remove", told.remove)),
  ];
}

function didWhat(moved, { known_item: known }) {
  if (known === false) return "The model does not know this item: it is no reason for anything.";
  if (moved === null) return "Asking for the reasons…";
  if (!moved.length) return "It is not among the three events that moved an item of this list most.";
  return `It moved ${plural(moved.length, "item")} of this list`;
}

const SHOWN = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });

function when({ time, event_type: kind }) {
  const moment = Number.isFinite(time) ? `${SHOWN.format(1000 * time)} UTC` : "";
  return [kind, moment].filter(Boolean).join(", ");
}
