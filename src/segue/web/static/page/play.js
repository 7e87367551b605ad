// The view Play: a history, the list that follows it, and why.

import { PLAIN, keep, read, written } from "./address.js";
import { dropped, latest } from "./api.js";
import { makeAsking } from "./asking.js";
import { historyChanges } from "./changes.js";
import { controls } from "./controls.js";
import { element, say, trouble } from "./dom.js";
import { madeUp } from "./events.js";
import { historyStrip } from "./history.js";
import { knownItems } from "./known.js";
import { drawParts, layOut } from "./layout.js";
import { listPart } from "./list_part.js";
import { pauseSlider } from "./pause.js";
import { makePointing } from "./pointing.js";
import { meant } from "./reason.js";
import { TODAY, eventsOf, pauseOf, request, settings } from "./request.js";
import { makeRetry } from "./retry.js";
import { makeServed } from "./served.js";
import { onNewModel } from "./serving.js";
import { exampleItems, startFields, withNext } from "./start.js";
import { covers } from "./trust.js";
import { whoseHistory } from "./whose.js";

const LAST = 50; // events of a stored user: as many as reasons look at
const now = () => Date.now() / 1000;

/** Draws the view into its section, once. */
export function play(root, api) {
  let asked = PLAIN, stored = null, examples = null, settled = false, reasonsOf = "", shownOf = null;
  const known = knownItems(api), opening = latest(), retry = makeRetry();

  const events = () => eventsOf(asked, stored).map((event, place) => {
    const item = known.get(event.item_id);
    return { seq: place + 1, ...event, title: event.title ?? item?.title, known_item: event.known_item ?? item?.known };
  });

  const add = (item) => changes.add(item), remove = (place) => changes.remove(place), move = (place, step) => changes.move(place, step);
  const strip = historyStrip({ point: (place, meant) => pointing.event(place, meant), remove, move });
  const list = listPart({ choose: add, point: (id, meant) => pointing.item(id, meant) });
  const pointing = makePointing({ strip, ranked: list.ranked }, { remove, move, about: known.get });
  const changes = historyChanges(() => ({ asked, stored, events: events() }), { strip, list, pointing, known }, go);
  const start = startFields(api, { add, open, begin });
  const pause = pauseSlider((value) => set({ pause: value }));
  const wishes = controls(set);
  const whose = whoseHistory();
  const stripTrouble = element("div", {});
  const served = makeServed(api, { known, trust: list.trust, changed: relight });
  const asking = makeAsking(api, {
    list(answer, milliseconds) {
      list.answered(answer, milliseconds);
      settled = true;
      retry.worked();
      list.trust.hidden = !covers(answer, events().length);
      const given = JSON.stringify(eventsOf(asked, stored));
      point(answer, given === reasonsOf ? undefined : new Map()); // those of the same history do for a moment
      reasonsOf = given;
      served.answered(answer.model_version);
      learn(answer.items.map(({ item_id: id }) => id));
    },
    reasons(answer) {
      const past = events(), items = meant(answer, past);
      list.ranked.reasons(items, past.length);
      list.explained();
      point({ items }, new Map(items.map(({ item_id: id, reasons }) => [id, reasons])));
    },
    failed(error, again) {
      list.failed(error, again, retry.failed(error, again));
      if (served.choices === null) served.learn(); // there may be others to choose
    },
    unexplained(error, again) {
      list.unexplained(error, again);
      retry.failed(error, again);
    }, waiting: list.waiting,
  });

  layOut(root, { start, whose, stripTrouble, strip, pause, wishes, list, pointing });

  /** Another history or user: a step that the browser's Back takes back. */
  function go(next) {
    asked = { ...next, unread: [] };
    keep(asked, { step: true });
    opened();
  }

  /** Another setting. */
  function set(some) {
    asked = { ...asked, ...some };
    keep(asked);
    refresh();
  }

  function open(id) {
    go({ ...asked, user: id, history: null, pause: null });
  }

  async function begin(item) {
    const signal = opening.begin();
    const items = await withNext(api, item, signal);
    if (signal.aborted) return; // something else was chosen since
    list.forget();
    items.forEach(known.add);
    go({ ...asked, user: null, history: madeUp(items, now()), pause: null });
  }

  /** After another address: have what is stored, then ask. */
  async function opened() {
    stripTrouble.replaceChildren(...asked.unread.map((text) => element("p", { class: "note small" }, text)));
    const signal = opening.begin();
    retry.stop();
    if (shownOf !== asked.user) changeUser();
    if (stored?.user_id !== asked.user) stored = null;
    if (stored === null && (asked.user !== null || asked.history === null)) hold(true);
    try {
      if (asked.user !== null && stored === null) {
        stored = await api.post("/v1/history", { user_id: asked.user, last: LAST }, { signal });
      } else if (asked.user === null && asked.history === null) {
        examples ??= await exampleItems(api);
        start.offer(examples);
        const items = await withNext(api, examples[0], signal);
        signal.throwIfAborted();
        items.forEach(known.add);
        asked = { ...asked, history: madeUp(items, now()) };
      }
      refresh();
      if (!examples) start.offer((examples = await exampleItems(api)));
    } catch (error) {
      if (dropped(error)) return;
      list.clear();
      pointing.show({ events: [], items: [] });
      hold(false);
      draw();
      stripTrouble.replaceChildren(trouble(error.message, opened));
      retry.failed(error, opened);
    }
  }

  /** Nothing that was chosen or typed is of this user. */
  function changeUser() {
    shownOf = asked.user;
    list.forget();
    pointing.forget();
    start.clear();
  }

  /** What is on screen is of another history than is asked about; or no longer. */
  function hold(yes) {
    strip.node.inert = list.ranked.node.inert = yes;
    if (yes) asking.stop();
  }

  function relight() {
    draw();
    if (settled) pointing.draw(); // else another list is on its way
  }

  function refresh() {
    settled = false;
    retry.stop();
    hold(false);
    asking.ask(request(asked, stored, served.choices)); // first: the answer is on its way while we draw
    draw();
  }

  function draw() {
    drawParts({ strip, pause, wishes, whose }, { asked, stored, choices: served.choices, events: events() }, {
      link: () => `${location.origin}${location.pathname}#${written(asked)}`,
      back: () => go({ ...asked, history: null, pause: null }), again: () => { stored = null; opened(); }, clear: () => go({ ...asked, user: null, history: [], pause: null }),
    });
    learn(events().map(({ item_id: id }) => id));
  }

  function point(answer, reasons) {
    const { diversity, scenario } = settings(asked, served.choices);
    const moment = pauseOf(asked) === TODAY ? now() : (events().at(-1)?.time ?? 0) + pauseOf(asked);
    pointing.show({ events: events(), items: answer.items, ...(reasons && { reasons }), moment, ruled: diversity > 0 || Boolean(scenario) });
  }

  async function learn(ids) {
    const more = await known.learn(ids);
    if (more && events().some(({ item_id: id }) => ids.includes(id))) relight();
    list.ranked.details(known);
  }

  addEventListener("hashchange", () => {
    if (!/^#?(play)?(\?|$)/.test(location.hash) || location.hash.slice(1) === written(asked)) return;
    asked = read(location.hash);
    opened();
  });
  onNewModel(() => { // what is known of its items is of the model before
    examples = stored = null;
    opened();
  });
  asked = read(location.hash);
  draw();
  opened();
  return { hidden: () => say("") };
}
