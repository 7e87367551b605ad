// How a history begins: search an item, open a stored user, or take an example.

import { dropped } from "./api.js";
import { element, name, shortened } from "./dom.js";
import { combobox } from "./search.js";
import { alike, called, duration, plural } from "./words.js";

const FOUND = 20;
const EXAMPLES = 3;

/** @param told `{ add(item), open(user_id), begin(item) }`; null: with nothing. */
export function startFields(api, told) {
  const examples = element("p", { class: "examples" });
  const items = combobox({
    label: "Add an item", placeholder: "Search titles", longest: 200, choose: told.add, beside: examples,
    find: async (text, signal) => (await api.get(`/v1/items?search=${encodeURIComponent(text)}&k=${FOUND}`, { signal })).items,
    show: (item, found) => [
      element("span", {}, name(called(item)), alike(found).has(called(item)) && element("span", { class: "small quiet" }, " ", name(item.item_id))),
      element("span", { class: "small quiet" }, about(item)),
    ],
    empty: (text) => (text ? `No item has “${shortened(text, 60)}” in its title.` : "The model knows no items."),
  });
  const users = combobox({
    label: "Or open a stored user", placeholder: "User id", longest: 1024, choose: ({ user_id: id }) => told.open(id),
    find: async (text, signal) => offered(text, (await api.get("/v1/users?k=100", { signal })).users),
    show: (user) => [
      element("span", {}, name(user.user_id)),
      element("span", { class: "small quiet" }, user.events == null ? "open this id" : aboutUser(user)),
    ],
    empty: () => "The store knows no users yet: they come with their first event.",
  });
  const boxes = [items, users];
  return {
    nodes: boxes,
    offer: (given) => drawExamples(examples, given, told),
    /** What was typed is of the history before. */
    clear: () => boxes.forEach((box) => { box.querySelector("input").value = ""; }),
  };
}

function about({ categories = [], withdrawn }) {
  return [...(withdrawn ? ["not available now"] : []), ...categories.slice(0, 4).map((one) => shortened(one, 40))].join(" · ");
}

function offered(text, users) {
  const wanted = text.toLowerCase();
  const fitting = users.filter(({ user_id: id }) => id.toLowerCase().includes(wanted));
  const known = users.some(({ user_id: id }) => id === text);
  return [...(text && !known ? [{ user_id: text }] : []), ...fitting.sort((a, b) => (b.user_id === text) - (a.user_id === text))].slice(0, FOUND);
}

function aboutUser({ events, last_time: time }) {
  const ago = time == null ? "" : `, the last ${duration(Math.max(0, Date.now() / 1000 - time))} ago`;
  return plural(events, "event") + ago;
}

function drawExamples(node, examples, told) {
  const button = (item, words) => element("button", { type: "button", class: "plain", onclick: () => told.begin(item) }, words);
  const buttons = examples.map((item) => button(item, name(shortened(called(item), 40))));
  const nobody = button(null, "somebody new");
  node.replaceChildren(element("span", { class: "quiet" }, "or begin with"), ...buttons, nobody);
}

/** Items to begin with: popular ones, as unlike as their categories say. */
export async function exampleItems(api) {
  const { items } = await api.get(`/v1/items?search=&k=${FOUND}`);
  const taken = new Set(), chosen = [];
  for (const item of items) {
    const own = item.categories ?? [];
    if (chosen.length && own.length && own.some((one) => taken.has(one))) continue;
    chosen.push(item);
    own.forEach((one) => taken.add(one));
    if (chosen.length === EXAMPLES) break;
  }
  return chosen;
}

/** An item, and the two that the model expects after it: a history that hangs together. */
export async function withNext(api, item, signal) {
  if (!item) return [];
  try {
    const { items } = await api.post("/v1/recommend", { items: [item.item_id], k: 2, exclude: "seen", diversity: 0 }, { signal });
    return [item, ...items.map(({ item_id, title }) => ({ item_id, title }))];
  } catch (error) {
    if (!dropped(error)) console.warn(error);
    return [item];
  }
}
