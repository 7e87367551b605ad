// The view Play: a history, the list that follows it, and why.

import { PLAIN, keep, read, written } from "./address.js";
import { dropped, latest } from "./api.js";
import { makeAsking } from "./asking.js";
import { controls } from "./controls.js";
import { element, say, trouble } from "./dom.js";
import { bare, exchanged, madeUp, without } from "./events.js";
import { historyStrip } from "./history.js";
import { knownItems } from "./known.js";
import { layOut } from "./layout.js";
import { listPart } from "./list_part.js";
import { opensSession, pauseSlider } from "./pause.js";
import { makePointing } from "./pointing.js";
import { meant } from "./reason.js";
import { TODAY, eventsOf, nextTime, request, settings } from "./request.js";
import { exampleItems, startFields, withNext } from "./start.js";
import { showTrust } from "./trust.js";
import { whoseHistory } from "./whose.js";

const LAST = 50; // events of a stored user: as many as reasons look at
const now = () => Date.now() / 1000;

/** Draws the view into its section, once. */
export function play(root, api) {
  let asked = PLAIN, stored = null, choices = null, examples = null, settled = false, reasonsOf = "", version = null;
  const known = knownItems(api), opening = latest();

  const events = () => eventsOf(asked, stored).map((event, place) => {
    const item = known.get(event.item_id);
    return { seq: place + 1, ...event, title: event.title ?? item?.title, known_item: event.known_item ?? item?.known };
  });

  const strip = historyStrip({ point: (place, meant) => pointing.event(place, meant), remove, move });
  const list = listPart({ choose: add, point: (id, meant) => pointing.item(id, meant) });
  const pointing = makePointing({ strip, ranked: list.ranked }, { remove, move, about: known.get });
  const start = startFields(api, { add, open, begin });
  const pause = pauseSlider((value) => set({ pause: value }));
  const wishes = controls(set);
  const whose = whoseHistory();
  const stripTrouble = element("div", {});
  const asking = makeAsking(api, {
    list(answer, milliseconds) {
      list.answered(answer, milliseconds);
      settled = true;
      const given = JSON.stringify(eventsOf(asked, stored));
      point(answer, given === reasonsOf ? undefined : new Map()); // those of the same history do for a moment
      reasonsOf = given;
      if (version !== answer.model_version) renew(answer.model_version);
      learn(answer.items.map(({ item_id: id }) => id));
    },
    reasons(answer) {
      const past = events(), items = meant(answer, past);
      list.ranked.reasons(items, past.length);
      point({ items }, new Map(items.map(({ item_id: id, reasons }) => [id, reasons])));
    },
    failed(error, again) {
      list.failed(error, again);
      if (choices === null) learnChoices(); // there may be others to choose
    },
    unexplained: list.unexplained, waiting: list.waiting,
  });

  layOut(root, { start, whose, stripTrouble, strip, pause, wishes, list, pointing });

  /** Another history or user: a step that the browser's Back takes back. */
  function go(next) {
    asked = next;
    keep(asked, { step: true });
    opened();
  }

  /** Another setting. */
  function set(some) {
    asked = { ...asked, ...some };
    keep(asked);
    refresh();
  }

  function add(item) {
    known.add(item);
    const event = { item_id: item.item_id, time: nextTime(asked, events(), now()) };
    go({ ...asked, history: [...bare(events()), event], pause: 0 });
  }

  function remove(place) {
    go({ ...asked, history: without(bare(events()), place) });
  }

  function move(place, step) {
    if (!events()[place + step]) return;
    pointing.follow(place + step);
    go({ ...asked, history: exchanged(bare(events()), place, step) });
    strip.focus(place + step);
  }

  function open(id) {
    list.forget();
    go({ ...asked, user: id, history: null, pause: 0 });
  }

  function begun(items) {
    items.forEach(known.add);
    return madeUp(items, now());
  }

  async function begin(item) {
    const items = await withNext(api, item);
    list.forget();
    go({ ...asked, user: null, history: begun(items), pause: 0 });
  }

  /** After another address: have what is stored, then ask. */
  async function opened() {
    stripTrouble.replaceChildren();
    const signal = opening.begin();
    try {
      if (asked.user !== null && stored?.user_id !== asked.user) {
        stored = null;
        stored = await api.post("/v1/history", { user_id: asked.user, last: LAST }, { signal });
      } else if (asked.user === null && asked.history === null) {
        examples ??= await exampleItems(api);
        start.offer(examples);
        const items = await withNext(api, examples[0]);
        signal.throwIfAborted();
        asked = { ...asked, history: begun(items) };
      }
      if (asked.user === null) stored = null;
      refresh();
      if (!examples) start.offer((examples = await exampleItems(api)));
    } catch (error) {
      if (dropped(error)) return;
      list.idle();
      stripTrouble.replaceChildren(trouble(error.message, opened));
    }
  }

  function relight() {
    draw();
    if (settled) pointing.draw(); // else another list is on its way
  }

  function refresh() {
    settled = false;
    asking.ask(request(asked, stored, choices)); // first: the answer is on its way while we draw
    draw();
  }

  function draw() {
    const opens = (seconds) => opensSession(seconds, choices?.gap);
    const { seconds, text } = pause.draw(asked, events(), choices);
    const end = element("li", { class: opens(seconds) ? "ending opens" : "ending" }, `What comes ${events().length ? text : "first"}?`);
    strip.draw(events(), opens, end);
    wishes.draw(asked, choices);
    whose.draw(asked, stored, {
      link: () => `${location.origin}${location.pathname}#${written(asked)}`,
      back: () => go({ ...asked, history: null, pause: 0 }), again: () => { stored = null; opened(); }, clear: () => go({ ...asked, user: null, history: [], pause: 0 }),
    });
    learn(events().map(({ item_id: id }) => id));
  }

  function point(answer, reasons) {
    const { diversity, scenario } = settings(asked, choices);
    const moment = asked.pause === TODAY ? now() : (events().at(-1)?.time ?? 0) + asked.pause;
    pointing.show({ events: events(), items: answer.items, ...(reasons && { reasons }), moment, ruled: diversity > 0 || Boolean(scenario) });
  }

  async function learn(ids) {
    const more = await known.learn(ids);
    if (more && events().some(({ item_id: id }) => ids.includes(id))) relight();
    list.ranked.details(known);
  }

  /** A model serves that is new here; what the first list does without is asked for after it. */
  function renew(model) {
    if (version !== null) known.forget();
    version = model;
    learnChoices();
    showTrust(list.trust, api);
  }

  async function learnChoices() {
    try {
      choices = await api.get("/v1/choices");
      relight();
    } catch (error) {
      console.warn(error);
    }
  }

  addEventListener("hashchange", () => {
    if (!/^#?(play)?(\?|$)/.test(location.hash) || location.hash.slice(1) === written(asked)) return;
    asked = read(location.hash);
    opened();
  });
  asked = read(location.hash);
  draw();
  opened();
  return { hidden: () => say("") };
}
