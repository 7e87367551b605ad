// A what-if as an address, so that it can be mailed: `#play?user=42` or `#play?i=50&i=172&t=875000000,60&d=0.3`. Pure, but for `keep`.

import { TODAY } from "./request.js";

/** What an empty address says. `history` null: not said; `user` with a history: what that user did, changed. */
export const PLAIN = Object.freeze({
  user: null, history: null, pause: 0, k: null, diversity: null, strategy: null, similarity: null, exclude: null,
  scenario: null, categories: Object.freeze([]),
});

const NUMBERS = ["pause", "k", "diversity"];
const TEXTS = ["user", "strategy", "similarity", "exclude", "scenario"];
const LONGEST = 1000; // events; a request takes no more

/** The part of an address behind `#` for what is asked. */
export function written(asked) {
  const query = new URLSearchParams();
  for (const key of TEXTS) if (asked[key] != null) query.set(key, asked[key]);
  if (asked.history) {
    for (const { item_id: id } of asked.history) query.append("i", id);
    const times = asked.history.map(({ time }, place, all) => (place ? time - all[place - 1].time : time));
    query.set("t", times.map((time) => +time.toFixed(3)).join(","));
  }
  for (const key of NUMBERS) if (asked[key] != null && asked[key] !== PLAIN[key]) query.set(key, asked[key]);
  for (const category of asked.categories) query.append("category", category);
  const text = query.toString();
  return text ? `play?${text}` : "play";
}

/** What an address asks; what cannot be meant is left out. */
export function read(hash) {
  const query = new URLSearchParams(hash.replace(/^#/, "").split("?").slice(1).join("?"));
  const asked = { ...PLAIN, categories: query.getAll("category") };
  for (const key of TEXTS) if (query.get(key)) asked[key] = query.get(key);
  for (const key of NUMBERS) {
    const value = Number(query.get(key));
    if (query.has(key) && Number.isFinite(value) && value >= 0) asked[key] = value;
  }
  if (query.get("pause") === TODAY) asked.pause = TODAY;
  if (query.has("t")) asked.history = events(query.getAll("i").slice(0, LONGEST), query.get("t"));
  if (asked.k != null) asked.k = Math.min(100, Math.max(1, Math.round(asked.k)));
  if (asked.diversity != null) asked.diversity = Math.min(1, asked.diversity);
  return asked;
}

function events(ids, times) {
  const steps = times.split(",").map(Number);
  let time = 0;
  return ids.filter(Boolean).map((id, place) => {
    const step = steps[place];
    time += Number.isFinite(step) ? Math.max(0, step) : 60; // times never fall, nor do those of a request
    return { item_id: id, time };
  });
}

/** Have the browser's address say what is asked; with `step` its Back takes it back. */
export function keep(asked, { step = false } = {}) {
  try {
    history[step ? "pushState" : "replaceState"](null, "", `#${written(asked)}`);
  } catch (error) {
    console.warn(error); // some browsers refuse what comes too fast, as from a slider
  }
}
