// Readings of `/metrics` while somebody looks: one every two seconds, kept for five minutes.

import { parsed } from "./metrics_text.js";
import { between, restarted } from "./rates.js";

export const EVERY = 2; // seconds
export const KEPT = 300; // seconds
const WINDOW = 10; // seconds that the large figures are of
const GAP = 3 * EVERY; // readings that are farther apart say nothing of one moment

/**
 * Reads while it is started. `told({reading, now, recent, points, lost, restarts, error})` is called after each try.
 *
 * `recent` is what happened in the last ten seconds (null: not known yet), `points` what happened between each two
 * readings, {at, did}, where `did` is null if nothing can be said; `lost` is since when the server is not reached.
 *
 * @param ask gives the text; raises ApiError.
 */
export function watch(ask, told, clock = () => Date.now() / 1000) {
  let timer = null;
  let running = 0;
  let readings = [];
  let points = [];
  let lost = null;
  let restarts = 0;

  function take(reading, at) {
    const last = readings.at(-1);
    if (last && restarted(last.reading, reading)) {
      restarts += 1;
      readings = [];
      points.push({ at, did: null });
    } else if (last && at - last.at > GAP) {
      readings = [];
      points.push({ at, did: null });
    } else if (last) {
      points.push({ at, did: between(last.reading, reading, at - last.at) });
    }
    readings = [...readings.filter((one) => one.at > at - WINDOW - EVERY / 2), { reading, at }];
    points = points.filter((one) => one.at > at - KEPT);
  }

  async function look(run) {
    timer = null;
    let wait = EVERY;
    let error = null;
    try {
      const text = await ask();
      if (run !== running) return;
      lost = null;
      take(parsed(text), clock());
    } catch (failure) {
      if (run !== running) return;
      error = failure;
      if (failure.status === 0 || failure.status >= 500) lost ??= clock();
      wait = failure.status === 401 ? Infinity : Math.max(EVERY, failure.retryAfter ?? 0);
    }
    told({ ...seen(), error });
    if (wait < Infinity) timer = setTimeout(() => look(run), wait * 1000);
  }

  function seen() {
    const [first, last] = [readings[0], readings.at(-1)];
    const recent = readings.length > 1 ? between(first.reading, last.reading, last.at - first.at) : null;
    return { reading: last?.reading ?? null, now: clock(), recent, points, lost, restarts };
  }

  return {
    start() {
      clearTimeout(timer);
      look(++running);
    },
    stop() {
      clearTimeout(timer);
      running += 1;
    },
  };
}
