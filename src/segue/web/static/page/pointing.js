// Pointing: at a listed item, which lights up the events that moved it, or at an event, and the other way round.

import { say } from "./dom.js";
import { whyEvent, whyItem, whyPanel } from "./why.js";

const HEARD = 500; // characters of the panel that a screen reader is told
const narrow = matchMedia("(max-width: 59.99rem)");

/**
 * @param parts `{ strip, ranked }`: the history and the list.
 * @param told `{ move(place, step), remove(place), about(id) }`: of events; what is known of an item.
 */
export function makePointing({ strip, ranked }, told) {
  const panel = whyPanel();
  const home = document.createElement("div");
  home.className = "why-home";
  let shown = { events: [], items: [], reasons: new Map(), ruled: false, moment: null };
  let at = null; // { id } of an item, { place } of an event
  let deliberate = false;

  const itemOf = (id) => shown.items.find(({ item_id: other }) => other === id);

  const there = () => (at?.id != null ? itemOf(at.id) !== undefined : at?.place != null && at.place < shown.events.length);

  function draw() {
    if (at?.id != null) drawItem(itemOf(at.id));
    else if (at?.place != null) drawEvent(at.place);
    panel.node.hidden = at === null;
    settle();
  }

  function drawItem(item) {
    const reasons = shown.reasons.get(item.item_id);
    const places = new Map(shown.events.map(({ seq }, place) => [seq, place]));
    const pushes = new Map((reasons?.events ?? []).map(({ seq, difference }) => [places.get(seq), difference]));
    strip.light(pushes);
    ranked.light(new Map(), item.item_id);
    const titled = { ...item, reasons };
    panel.say(...whyItem(titled, { length: shown.items.length, had: shown.events.length > 0, ruled: shown.ruled, moment: shown.moment, about: told.about(item.item_id) }));
  }

  function drawEvent(place) {
    const { seq } = shown.events[place];
    const moved = shown.items.flatMap((item) => {
      const found = shown.reasons.get(item.item_id)?.events.find((event) => event.seq === seq);
      return found ? [{ item, difference: found.difference }] : [];
    });
    moved.sort((one, other) => Math.abs(other.difference) - Math.abs(one.difference));
    strip.light(new Map(), place);
    ranked.light(new Map(moved.map(({ item, difference }) => [item.item_id, difference])));
    const last = shown.events.length - 1;
    panel.say(...whyEvent(shown.events[place], shown.reasons.size ? moved : null, {
      earlier: place > 0 ? () => told.move(place, -1) : null,
      later: place < last ? () => told.move(place, 1) : null,
      remove: () => { told.remove(place); strip.focus(Math.min(place, last - 1)); },
    }));
  }

  /** Where there is one column, the panel stands where one pointed; else beside the list. */
  function settle() {
    let place = home;
    if (narrow.matches && (deliberate || at?.place != null)) place = at?.id != null ? ranked.row(at.id) : strip.node.parentElement;
    if (place && panel.node.parentElement !== place) place.append(panel.node);
    home.hidden = narrow.matches;
  }

  function point(next, meant) {
    const same = at && next && at.id === next.id && at.place === next.place;
    if (same && (!meant || deliberate)) {
      if (!(meant && narrow.matches)) return;
      next = { id: shown.items[0]?.item_id }; // a second tap closes it
      meant = false;
    }
    at = next;
    deliberate = meant;
    if (!there()) return; // a list that is being drawn has the focus already
    draw();
    if (meant) say(panel.node.innerText.slice(0, HEARD));
  }

  narrow.addEventListener("change", settle);
  home.append(panel.node);
  draw();
  return {
    home,
    item: (id, meant) => point({ id }, meant),
    event: (place, meant) => point({ place }, meant),

    /** Draw for a new list, or for new reasons: what one pointed at stays, if it is there. */
    show(now) {
      shown = { ...shown, ...now };
      if (!there()) {
        at = shown.items.length ? { id: shown.items[0].item_id } : null;
        deliberate = false;
        strip.light(new Map());
      }
      draw();
    },
    draw,
    /** Another history: what one pointed at was of the one before. */
    forget() { at = null; deliberate = false; },
    /** Point at the event at another place: it has moved there. */
    follow(place) { at = { place }; },
  };
}
