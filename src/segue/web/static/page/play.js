// The view Play: a history, the list that follows it, and why.

import { PLAIN, read, written } from "./address.js";
import { dropped, latest } from "./api.js";
import { makeAsking } from "./asking.js";
import { controls } from "./controls.js";
import { element, say, trouble } from "./dom.js";
import { historyStrip } from "./history.js";
import { knownItems } from "./known.js";
import { listPart } from "./list_part.js";
import { opensSession, pauseSlider } from "./pause.js";
import { makePointing } from "./pointing.js";
import { eventsOf, nextTime, request, settings } from "./request.js";
import { exampleHistories, startFields, withSimilar } from "./start.js";
import { showTrust } from "./trust.js";
import { describe } from "./whose.js";

const LAST = 50; // events of a stored user: as many as reasons look at

/** Draws the view into its section, once. */
export function play(root, api) {
  let asked = PLAIN, stored = null, choices = null, settled = false, reasonsOf = "";
  const known = knownItems(api);
  const opening = latest();

  const events = () => eventsOf(asked, stored).map((event) => ({ ...event, title: event.title ?? known.get(event.item_id)?.title }));
  const seqOf = (place) => (asked.history ? place + 1 : stored.events[place].seq);

  // --- parts
  const strip = historyStrip({ point: (place) => pointing.event(place), remove, move });
  const list = listPart({ choose: add, point: (id, meant) => pointing.item(id, meant) });
  const pointing = makePointing({ strip, ranked: list.ranked }, { remove, move });
  const start = startFields(api, { add, open, begin });
  const pause = pauseSlider((value) => set({ pause: value }));
  const wishes = controls(set);
  const whose = element("div", { class: "whose" });
  const stripTrouble = element("div", {});
  const asking = makeAsking(api, {
    list(answer, milliseconds) {
      list.answered(answer, milliseconds);
      settled = true;
      const now = JSON.stringify(asked.history ?? stored?.events ?? []);
      point(answer, now === reasonsOf ? undefined : new Map()); // those of the same history do for a moment
      reasonsOf = now;
      learn(answer.items.map(({ item_id: id }) => id));
    },
    reasons(answer) {
      const reasons = new Map(answer.items.map((item) => [item.item_id, item.reasons]));
      list.ranked.reasons(reasons);
      point(answer, reasons);
    },
    failed: list.failed,
    unexplained: list.unexplained,
    waiting: list.waiting,
  });

  root.append(
    element("header", { class: "intro" }, element("h2", {}, "What comes next?"),
      element("p", { class: "lead" }, "Put together what somebody did. The list shows what the model expects next, and why.")),
    element("div", { class: "start" }, start.nodes),
    element("section", { class: "card history", "aria-label": "History" }, whose, stripTrouble, strip.node),
    element("section", { class: "wishes", "aria-label": "Settings" }, pause.node, wishes.sliders, pause.meaning, wishes.tools, wishes.more),
    element("div", { class: "columns" }, list.node, pointing.home));

  // --- what the user does
  /** Another history or user: a step that the browser's Back takes back. */
  function go(next) {
    asked = next;
    history.pushState(null, "", `#${written(asked)}`);
    opened();
  }

  /** Another setting. */
  function set(some) {
    asked = { ...asked, ...some };
    history.replaceState(null, "", `#${written(asked)}`);
    refresh();
  }

  const bare = () => events().map(({ item_id, time }) => ({ item_id, time }));
  const changed = (next) => go({ ...asked, history: next, pause: 0 });

  function add(item) {
    known.add(item);
    changed([...bare(), { item_id: item.item_id, time: nextTime(asked, events(), Date.now() / 1000) }]);
  }

  function remove(place) {
    changed(bare().filter((_, other) => other !== place));
  }

  /** Exchange an event with the one before or after; the times stay where they are. */
  function move(place, step) {
    const next = bare(), other = place + step;
    if (!next[other]) return;
    [next[place].item_id, next[other].item_id] = [next[other].item_id, next[place].item_id];
    pointing.follow(other);
    changed(next);
    strip.focus(other);
  }

  function open(id) {
    list.forget();
    go({ ...asked, user: id, history: null, pause: 0 });
  }

  async function begin(items) {
    const first = items.length ? await withSimilar(api, items[0]) : [];
    list.forget();
    go({ ...asked, user: null, history: madeUp(first), pause: 0 });
  }

  function madeUp(items) {
    const now = Math.round(Date.now() / 1000);
    items.forEach(known.add);
    return items.map(({ item_id }, place) => ({ item_id, time: now - 60 * (items.length - 1 - place) }));
  }

  // --- what follows
  /** After another address: have what is stored, then ask. */
  async function opened() {
    stripTrouble.replaceChildren();
    const signal = opening.begin();
    try {
      if (asked.user !== null && stored?.user_id !== asked.user) {
        stored = null;
        stored = await api.post("/v1/history", { user_id: asked.user, last: LAST }, { signal });
      } else if (asked.user === null && asked.history === null) {
        const [example] = await examples;
        const items = example ? await withSimilar(api, example[0]) : [];
        signal.throwIfAborted();
        asked = { ...asked, history: madeUp(items) };
      }
      if (asked.user === null) stored = null;
      refresh();
    } catch (error) {
      if (!dropped(error)) stripTrouble.replaceChildren(trouble(error.message, opened));
    }
  }

  /** Draw, and light up again what was lit, unless another list is on its way. */
  function relight(drawing) {
    drawing();
    if (settled) pointing.draw();
  }

  function refresh() {
    settled = false;
    draw();
    asking.ask(request(asked, stored, choices));
  }

  function draw() {
    const opens = (seconds) => opensSession(seconds, choices?.gap);
    const { seconds, text } = pause.draw(asked, events(), choices);
    const end = element("li", { class: opens(seconds) ? "ending opens" : "ending" }, `What comes ${events().length ? text : "first"}?`);
    strip.draw(events(), opens, end);
    wishes.draw(asked, choices);
    whose.replaceChildren(...describe(asked, stored, {
      back: () => go({ ...asked, history: null, pause: 0 }), clear: () => go({ ...asked, user: null, history: [], pause: 0 }),
    }));
    learn(events().map(({ item_id: id }) => id));
  }

  function point(answer, reasons) {
    const { diversity, scenario } = settings(asked, choices);
    const moment = asked.pause === "today" ? Date.now() / 1000 : (events().at(-1)?.time ?? 0) + asked.pause;
    pointing.show({ events: events(), items: answer.items, ...(reasons && { reasons }), seqOf, moment, ruled: diversity > 0 || Boolean(scenario) });
  }

  /** Have titles and categories of items that were not met yet, and show them. */
  async function learn(ids) {
    const more = await known.learn(ids);
    if (more && events().some(({ item_id: id }) => ids.includes(id))) relight(draw);
    list.ranked.details(known);
  }

  async function learnChoices() {
    try {
      choices = await api.get("/v1/choices");
      relight(draw);
    } catch (error) {
      console.warn(error);
    }
  }

  const examples = exampleHistories(api);
  examples.then(start.offer, () => {}); // `opened` tells of it
  addEventListener("hashchange", () => {
    if (!/^#?(play)?(\?|$)/.test(location.hash) || location.hash.slice(1) === written(asked)) return;
    asked = read(location.hash);
    opened();
  });
  asked = read(location.hash);
  learnChoices();
  showTrust(list.trust, api);
  opened();
  return { hidden: () => say("") };
}
