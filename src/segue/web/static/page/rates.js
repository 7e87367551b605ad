// What happened between two readings of `/metrics`: rates, percentiles and shares. Nothing is said where nothing was.

import { samples, summed } from "./metrics_text.js";

const asked = (labels) => labels.route?.startsWith("/v1/"); // the page's own questions for pages and counts do not count

/**
 * Whether the server began anew between two readings: a counter fell, or began at another time.
 */
export function restarted(before, after) {
  for (const [name, list] of before) {
    const counts = /_(total|count|bucket)$/.test(name);
    const began = name.endsWith("_created");
    if (!counts && !began) continue;
    const later = new Map(samples(after, name).map((one) => [key(one.labels), one.value]));
    for (const one of list) {
      const now = later.get(key(one.labels));
      if (now === undefined || (began ? now !== one.value : now < one.value)) return true;
    }
  }
  return false;
}

const key = (labels) => JSON.stringify(Object.entries(labels).sort());

/** What was done in `seconds` between two readings of one run of a server. */
export function between(before, after, seconds) {
  const grown = (name, label, keep) => growth(summed(before, name, label, keep), summed(after, name, label, keep));
  const statuses = grown("segue_requests_total", "status", asked);
  const requests = total(statuses);
  const lists = growth(summed(before, "segue_answers_total"), summed(after, "segue_answers_total")).get(undefined) ?? 0;
  const short = growth(summed(before, "segue_short_lists_total"), summed(after, "segue_short_lists_total"));
  return {
    seconds,
    requests,
    rate: requests / seconds,
    statuses,
    errors: [...statuses].filter(([status]) => status >= "400").reduce((sum, [, count]) => sum + count, 0),
    latency: percentiles(grown("segue_request_seconds_bucket", "le", asked)),
    routes: routesOf(before, after, seconds),
    events: grown("segue_events_total", "became"),
    sources: grown("segue_items_total", "source"),
    lists,
    short: short.get(undefined) ?? 0,
  };
}

function routesOf(before, after, seconds) {
  const names = new Set(samples(after, "segue_requests_total").map((one) => one.labels.route).filter((route) => asked({ route })));
  return [...names].sort().map((route) => {
    const of = (labels) => labels.route === route;
    const grown = (name, label) => growth(summed(before, name, label, of), summed(after, name, label, of));
    const statuses = grown("segue_requests_total", "status");
    return { route, statuses, rate: total(statuses) / seconds, latency: percentiles(grown("segue_request_seconds_bucket", "le")) };
  });
}

function growth(before, after) {
  return new Map([...after].map(([name, value]) => [name, Math.max(0, value - (before.get(name) ?? 0))]));
}

/** The sum of the values of a Map. */
export const total = (counts) => [...counts.values()].reduce((sum, value) => sum + value, 0);

/** {p50, p90, p99} in seconds from counts by upper bound; null where nothing was asked. */
export function percentiles(buckets) {
  const bounds = [...buckets].map(([bound, count]) => [bound === "+Inf" ? Infinity : Number(bound), count]).sort((a, b) => a[0] - b[0]);
  if (!(bounds.at(-1)?.[1] > 0)) return null;
  return { p50: quantile(bounds, 0.5), p90: quantile(bounds, 0.9), p99: quantile(bounds, 0.99) };
}

/**
 * Within its bucket a value is taken to lie as if all there were evenly spread. Above the last bound it is only known to
 * be more than that: {value, above: true}.
 */
export function quantile(bounds, share) {
  const wanted = share * bounds.at(-1)[1];
  let [low, under] = [0, 0];
  for (const [bound, count] of bounds) {
    if (count >= wanted) {
      if (bound === Infinity) return { value: low, above: true };
      return { value: low + ((bound - low) * (wanted - under)) / (count - under), above: false };
    }
    [low, under] = [bound, count];
  }
  return { value: low, above: true };
}
