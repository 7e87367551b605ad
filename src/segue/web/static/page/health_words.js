// Health in words and numbers. Pure: nothing here knows of the page.

import { number } from "./words.js";

/** Seconds as milliseconds or seconds; "more than" where the counts say no more. */
export function spent(quantile) {
  if (!quantile) return "–";
  const { value, above } = quantile;
  const text = value >= 1 ? `${number(value)}\u00a0s` : `${number(value * 1000, 2)}\u00a0ms`;
  return above ? `more than ${text}` : text;
}

/** A rate a second. */
export const perSecond = (value) => (value == null ? "–" : number(value < 10 ? Math.round(value * 100) / 100 : Math.round(value)));

/** A part of a whole; nothing of nothing is no number. */
export const share = (part, whole) => (whole ? `${number((100 * part) / whole, 3)}\u00a0%` : "–");

/** A time of day. */
export const clockTime = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en", { hour12: false });

/** How far back: "2 min ago", for an axis that ends now. */
export function ago(seconds) {
  if (seconds > -1) return "now";
  return seconds > -60 ? `${-seconds} s ago` : `${-Math.round(seconds / 60)} min ago`;
}

export const STATUSES = {
  200: "answered",
  400: "could not be meant",
  401: "without a known key",
  404: "no such route",
  405: "no such method",
  408: "body came too late",
  409: "events in conflict",
  413: "too large",
  429: "above the rate of a key",
  500: "failed inside",
  503: "too busy, or no store",
};

export const BECAME = {
  stored: "stored",
  duplicate: "sent again, known already",
  conflict: "same id, other content: refused",
  late: "older than the user's last one",
};

export const SOURCES = {
  state: "the model, after this user's events",
  initial_state: "the model, of a stranger",
  neighbours: "what follows the last item",
  trending: "what is trending",
  newest: "the newest items",
  pin: "pinned by rules",
};
