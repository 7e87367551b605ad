// A what-if as an address, so that it can be mailed: `#play?user=42` or `#play?i=50&i=172&t=875000000,60&d=0.3`. Pure, but for `keep`.

import { shortened } from "./dom.js";
import { madeUp } from "./events.js";
import { TODAY, pauseOf } from "./request.js";
import { plural } from "./words.js";

/** What an empty address says. `unread` are sentences about what could not be read of an address. `history` null: not said; `user` with a history: what that user did, changed. */
export const PLAIN = Object.freeze({
  user: null, history: null, pause: null, k: null, diversity: null, strategy: null, similarity: null, exclude: null,
  scenario: null, categories: Object.freeze([]), unread: Object.freeze([]),
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
  for (const key of NUMBERS) if (asked[key] != null && !(key === "pause" && asked.pause === pauseOf({ ...asked, pause: null }))) query.set(key, asked[key]);
  for (const category of asked.categories) query.append("category", category);
  const text = query.toString();
  return text ? `play?${text}` : "play";
}

const BOUNDS = { pause: [0, Infinity], k: [1, 1000], diversity: [0, 1] };

/** What an address asks, and in `unread` what of it cannot be meant; `now` in Unix seconds. */
export function read(hash, now = Date.now() / 1000) {
  const query = new URLSearchParams(hash.replace(/^#/, "").split("?").slice(1).join("?"));
  const unread = [];
  const asked = { ...PLAIN, categories: query.getAll("category"), unread };
  for (const key of TEXTS) if (query.get(key)) asked[key] = query.get(key);
  for (const key of NUMBERS) {
    const text = query.get(key);
    if (text === null || (key === "pause" && text === TODAY)) continue;
    const value = text.trim() === "" ? NaN : Number(text), [least, most] = BOUNDS[key];
    if (!Number.isFinite(value)) unread.push(`“${key}=${shown(text)}” is no number: it is left out.`);
    else {
      asked[key] = Math.min(most, Math.max(least, key === "k" ? Math.round(value) : value));
      if (asked[key] !== value) unread.push(`“${key}=${shown(text)}” cannot be had: it is ${asked[key]}.`);
    }
  }
  if (query.get("pause") === TODAY) asked.pause = TODAY;
  const ids = query.getAll("i").filter(Boolean);
  if (ids.length > LONGEST) unread.push(`The history has ${ids.length.toLocaleString("en")} items: the first ${LONGEST.toLocaleString("en")} are taken.`);
  if (ids.length || query.has("t")) asked.history = events(ids.slice(0, LONGEST), query.get("t"), now, unread);
  return asked;
}

const shown = (text) => shortened(text, 40);

/** Items with their times: the first, and then the seconds since the one before. */
function events(ids, times, now, unread) {
  const steps = (times ?? "").split(",").map((step) => (step.trim() === "" ? NaN : Number(step)));
  if (!ids.length) return [];
  if (!Number.isFinite(steps[0])) {
    unread.push(`${times ? `The times “t=${shown(times)}” cannot be read` : "The address has no times (“t=”)"}: the items are taken a minute apart, up to now.`);
    return madeUp(ids.map((id) => ({ item_id: id })), now);
  }
  const bad = ids.filter((_, place) => !Number.isFinite(steps[place])).length;
  if (bad) unread.push(`The times of ${bad} of ${plural(ids.length, "item")} cannot be read: each is a minute after the one before.`);
  let time = 0;
  return ids.map((id, place) => {
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
