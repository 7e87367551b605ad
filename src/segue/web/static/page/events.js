// Changes to a history: events as `{ item_id, time }`, oldest first, that go in and come out. Pure.

const APART = 60; // seconds between the events of a made-up history

/** A history of items that came a minute apart, the last one now. */
export function madeUp(items, now) {
  const last = Math.round(now);
  return items.map(({ item_id }, place) => ({ item_id, time: last - APART * (items.length - 1 - place) }));
}

/** What is sent of events, and written into the address. */
export const bare = (events) => events.map(({ item_id, time }) => ({ item_id, time }));

/** Without the event at a place. */
export const without = (events, place) => events.filter((_, other) => other !== place);

/** With the items of two neighbours exchanged; the times stay where they are. */
export function exchanged(events, place, step) {
  const next = events.map((event) => ({ ...event })), other = place + step;
  [next[place].item_id, next[other].item_id] = [next[other].item_id, next[place].item_id];
  return next;
}
