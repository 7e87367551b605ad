// The list with what is to be said of it: what changed, how long it took, what went wrong.

import { element, say, shortened, trouble } from "./dom.js";
import { rankedList } from "./list.js";
import { changeWords, moves } from "./moves.js";
import { called, number, plural, shortWords } from "./words.js";

const SPEAK = 600; // milliseconds of quiet before a screen reader is told

/** @param told `{ choose(item), point(id, deliberate) }`. */
export function listPart(told) {
  const ranked = rankedList(told);
  const state = element("p", { class: "small quiet state" }, "Asking the model…");
  const notes = element("div", { class: "notes" });
  const problem = element("div", {});
  const why = element("div", {});
  const trust = element("p", { class: "small quiet" });
  const node = element("section", { class: "list-part", "aria-label": "Recommendations" },
    element("div", { class: "list-head" }, element("h3", {}, "Recommended next"), element("p", { class: "small quiet" }, "Choose one to add it to the history"), state),
    trust,
    problem, ranked.node, notes, why,
    element("p", { class: "small quiet" }, "Scores have no unit: within a list, higher is likelier, and bars run from its least to its best."));
  let before = null, timer = null;

  return {
    node, ranked, trust,

    answered(answer, milliseconds) {
      const after = answer.items.map(({ item_id: id }) => id);
      ranked.draw(answer.items, moves(before, after));
      const change = changeWords(before, after);
      state.textContent = [change, milliseconds !== null && `answered in ${number(Math.max(1, Math.round(milliseconds)))}\u00a0ms`].filter(Boolean).join(" · ");
      notes.replaceChildren(...remarks(answer).map((text) => element("p", { class: "note small" }, text)));
      problem.replaceChildren();
      why.replaceChildren();
      node.removeAttribute("aria-busy");
      clearTimeout(timer);
      timer = setTimeout(() => say(spoken(answer.items, change)), SPEAK);
      before = after;
    },

    /** @param next seconds until it is asked again by itself, or null. */
    failed(error, again, next) {
      state.textContent = [before && "This is the list before.", next && `Asking again in ${plural(next, "second")}.`].filter(Boolean).join(" ");
      problem.replaceChildren(trouble(error.message, error.status === 400 ? null : again)); // the same would be refused again
    },

    unexplained(error, again) {
      why.replaceChildren(trouble(`The reasons cannot be had: ${error.message}`, () => { why.replaceChildren(); again(); }));
    },

    explained() {
      why.replaceChildren();
    },

    /** Nothing can be asked: what is here is of another history. */
    clear() {
      before = null;
      ranked.draw([], new Map());
      notes.replaceChildren();
      state.textContent = "";
    },

    /** Why nothing came of a choice. */
    refuse(words) {
      state.textContent = words;
      say(words);
    },

    /** The next list is another person's: nothing in it has moved. */
    forget() {
      before = null;
    },

    waiting(seconds) {
      state.textContent = `The server is busy; asking again in ${plural(seconds, "second")}…`;
    },
  };
}

function spoken(items, change) {
  if (!items.length) return "The list is empty.";
  return `${plural(items.length, "item")}, first ${shortened(called(items[0]), 80)}. ${change}`;
}

function remarks({ items, short, unmet_pins: pins, unknown_items: unknown, unknown_categories: strange }) {
  const said = [];
  if (!items.length) said.push("Nothing may be shown with these settings.");
  if (short) said.push(shortWords(short));
  if (unknown?.length) said.push(`The model does not know ${plural(unknown.length, "item")} of the history: ${unknown.slice(0, 5).join(", ").slice(0, 200)}. It learned before they came.`);
  if (strange?.length) said.push(`No item is in the category ${strange.join(", ").slice(0, 200)}.`);
  if (pins?.length) said.push(`${plural(pins.length, "pin")} of the rules could not be had (${pins.map(({ because }) => because).join(", ")}).`);
  return said;
}
