// Whose history it is, and what is stored of it: nothing that one does here.

import { element, name } from "./dom.js";
import { duration, plural } from "./words.js";

/** The line over the strip. It is drawn anew only where it says something else: who is at a button stays there. */
export function whoseHistory() {
  const node = element("div", { class: "whose" });
  let said = "";
  return {
    node,
    /** @param told `{ back, again, clear, link }`: to what is stored, as it was or read anew; to nobody; the address of it all. */
    draw(asked, stored, told) {
      const now = JSON.stringify([asked.user, asked.history && asked.history.length > 0, stored?.total, stored?.events.length]);
      if (now === said) return;
      said = now;
      const held = node.contains(document.activeElement);
      node.replaceChildren(...describe(asked, stored, told));
      if (held) node.querySelector("button").focus();
    },
  };
}

function describe(asked, stored, told) {
  const button = (words, act) => element("button", { type: "button", class: "plain small", onclick: act }, words);
  const tools = [copyLink(told.link)];
  if (asked.history?.length || asked.user !== null) tools.push(button("Clear", told.clear));
  let words;
  if (asked.user === null && !asked.history?.length) {
    words = [element("h3", {}, "Somebody new"), element("p", { class: "small quiet" }, "Nothing is known: the list is what strangers get. Add an item above.")];
  } else if (asked.user === null) {
    words = [element("h3", {}, "A made-up history"), element("p", { class: "small quiet" }, "Only in this page: nothing is stored.")];
  } else if (asked.history === null) {
    tools.unshift(button("Read again", told.again));
    words = [element("h3", {}, "User ", name(asked.user), ", as stored"), element("p", { class: "small quiet" }, howMany(stored))];
  } else {
    words = [element("h3", {}, "What if user ", name(asked.user), " …"),
      element("p", { class: "small quiet" }, `Changed in this page only, from ${lastOf(stored)}${kinds(stored)}: nothing is stored.`)];
    tools.unshift(button("Back to what is stored", told.back));
  }
  return [element("div", { class: "whose-words" }, words), element("div", { class: "row" }, tools)];
}

function howMany(stored) {
  if (!stored) return ""; // on its way, or not to be had
  if (!stored.total) return "The store has no events of this user: the list is what strangers get.";
  const shown = stored.events.length, last = stored.events.at(-1)?.time;
  const when = last == null ? "" : `, the last on ${DAY.format(1000 * last)}, ${duration(Math.max(0, Date.now() / 1000 - last))} ago`;
  return `${plural(stored.total, "event")}${when}${shown < stored.total ? `; ${shown} are shown` : ""}.`;
}

const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });

const lastOf = (stored) => (stored && stored.events.length < stored.total ? `the last ${stored.events.length} of ${plural(stored.total, "event")}` : "what is stored");

const kinds = (stored) => (stored?.events.some(({ event_type: kind }) => kind) ? ", without their types" : "");

function copyLink(link) {
  const button = element("button", { type: "button", class: "plain small" }, "Copy link");
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(link());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Copy it from the address bar";
    }
    setTimeout(() => { button.textContent = "Copy link"; }, 2000);
  };
  return button;
}
