// Asks for a list: first as it is, then once more with reasons. What comes too late is dropped.

import { dropped, latest } from "./api.js";

const ROUTE = "/v1/recommend";
const TRIES = 5; // of a server that is busy
const QUIET = 120; // milliseconds without another question before reasons are asked for: they cost more

/**
 * @param told `{ list(answer, milliseconds), reasons(answer), failed(error, again), unexplained(error, again),
 *   waiting(seconds) }`.
 * @returns `ask(body)` and `stop()`.
 */
export function makeAsking(api, told) {
  const plain = latest();
  const explained = latest();

  async function ask(body) {
    const signal = plain.begin();
    explained.stop();
    try {
      let begun;
      const answer = await patient(() => {
        begun = performance.now();
        return api.post(ROUTE, body, { signal });
      }, signal, told.waiting);
      told.list(answer, performance.now() - begun);
      await explain(body, answer);
    } catch (error) {
      if (!dropped(error)) told.failed(error, () => ask(body));
    }
  }

  async function explain(body, answer) {
    if (!answer.items.length) return;
    const signal = explained.begin();
    try {
      await after(QUIET, signal);
      const why = await patient(() => api.post(ROUTE, { ...body, explain: true }, { signal }), signal);
      // another model may have taken over, or the user has done something
      const same = why.items.length === answer.items.length
        && why.items.every(({ item_id: id }, place) => id === answer.items[place].item_id);
      if (!same) told.list(why, null);
      told.reasons(why);
    } catch (error) {
      if (!dropped(error)) told.unexplained(error, () => explain(body, answer));
    }
  }

  return { ask, stop() { plain.stop(); explained.stop(); } };
}

/** What comes of `attempt`, which is made again where the server is busy, when it says. */
async function patient(attempt, signal, waiting) {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!error.busy || tries === TRIES) throw error;
      const seconds = error.retryAfter ?? 1;
      waiting?.(seconds);
      await after(1000 * seconds, signal);
    }
  }
}

/** Milliseconds later; raises AbortError if nobody waits any more. */
function after(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); });
  });
}
