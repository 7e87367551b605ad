// From what the page asks to what it sends. Pure.

/** The pause that stands for the present: a stored user is asked about as the server would be now. */
export const TODAY = "today";

/** What is usual, where these items can be told by it; else the first that can be had. */
const had = (usual, all) => (!all || all.includes(usual) ? usual : all[0]);

/** What each setting is where nobody said: the page's address, else the server. */
export function settings(asked, choices) {
  const said = choices?.defaults ?? {};
  return {
    k: asked.k ?? said.k ?? 10,
    diversity: asked.diversity ?? said.diversity ?? 0,
    strategy: asked.strategy ?? had(said.strategy, choices?.strategies),
    similarity: asked.similarity ?? had(said.similarity, choices?.similarities),
    exclude: asked.exclude ?? said.exclude ?? "none",
    scenario: asked.scenario,
    categories: asked.categories,
  };
}

/** The events that are shown, oldest first: those of the page, else the stored ones. */
export const eventsOf = (asked, stored) => asked.history ?? stored?.events ?? [];

/** The time of the last event; null: there is none. */
export const lastTime = (events) => events.at(-1)?.time ?? null;

/** The pause that is asked about; nobody said: a stored user is asked about as programs ask, now; else right away. */
export const pauseOf = ({ user, history, pause }) => pause ?? (user !== null && history === null ? TODAY : 0);

/** The body of a request for a list. */
export function request(asked, stored, choices) {
  const pause = pauseOf(asked);
  const { k, diversity, strategy, similarity, exclude } = settings(asked, choices);
  const body = { k };
  const last = lastTime(eventsOf(asked, stored));
  if (asked.history) {
    body.items = asked.history.map(({ item_id: id }) => id);
    body.times = asked.history.map(({ time }) => time);
  } else {
    body.user_id = asked.user;
  }
  if (last !== null && pause !== TODAY) body.timestamp = last + pause;
  if (asked.exclude !== null) body.exclude = exclude;
  if (asked.categories.length) body.categories = [...asked.categories];
  if (asked.scenario) body.scenario = asked.scenario;
  if (asked.diversity !== null) body.diversity = diversity;
  if (diversity > 0) {
    // refused without a knob: they would change nothing
    if (strategy && strategy !== choices?.defaults.strategy) body.strategy = strategy;
    if (similarity && similarity !== choices?.defaults.similarity) body.similarity = similarity;
  }
  return body;
}

/** When an event comes that is chosen now: after the pause, or a minute later where there is none. */
export function nextTime(asked, events, now) {
  const last = lastTime(events);
  if (last === null) return Math.round(now);
  const pause = pauseOf(asked);
  if (pause === TODAY) return Math.max(last, Math.round(now));
  return last + (pause || 60);
}
