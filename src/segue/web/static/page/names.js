// What models and groups of predictions are called. Pure.

import { wordOf } from "./words.js";

const NAMES = {
  popularity: "popularity",
  recent_popularity: "recent popularity",
  markov: "what followed the last item",
  sknn: "session neighbours",
  mix: "network and neighbours mixed",
};

/** A model's name for people; the names of cells are what they are. */
export const spoken = (name) => wordOf(NAMES, name);

const GROUPS = { "warm users": "users known before", "cold users": "users new to it" };

/** A group of predictions for people. */
export const grouped = (name) => wordOf(GROUPS, name);
