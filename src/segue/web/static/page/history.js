// The history as a strip of events, oldest first, with the pauses between them.

import { element, name, pointing, shortened } from "./dom.js";
import { called, duration, signed } from "./words.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const SAID = 120; // seconds: shorter pauses are not worth a word

/**
 * @param told `{ point(place, deliberate), remove(place), move(place, step) }`; `place` counts the events from 0.
 */
export function historyStrip(told) {
  const strip = element("ol", { class: "strip", "aria-label": "Events, oldest first" });
  let chips = [], drawn = "";

  function chip(event, place) {
    const button = element("button", {
      type: "button", class: "chip", "aria-keyshortcuts": "Delete Alt+ArrowLeft Alt+ArrowRight",
      onpointermove: (moved) => pointing(moved) && told.point(place),
      onfocus: () => { stop(place); told.point(place); }, onclick: () => told.point(place, true),
      onkeydown: (pressed) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[pressed.key];
        const end = { Home: 0, End: chips.length - 1 }[pressed.key];
        if (pressed.key === "Delete") told.remove(place);
        else if (end !== undefined) chips[end].button.focus();
        else if (step && pressed.altKey) told.move(place, step);
        else if (step) chips[place + step]?.button.focus();
        else return;
        pressed.preventDefault();
      },
    });
    const push = element("span", { class: "push figure" });
    const text = called(event);
    const kind = event.known_item === false ? "unknown to the model" : event.event_type;
    button.append(element("span", { class: "chip-title" }, name(text)), kind ? element("span", { class: "kind quiet" }, shortened(kind, 30)) : "", push);
    const remove = element("button", {
      type: "button", class: "remove", tabIndex: -1, "aria-label": `Remove ${shortened(text)}`, onclick: () => told.remove(place),
    }, "×");
    return { button, push, node: element("li", { class: "event" }, button, remove) };
  }

  /** The one event that Tab leads to; arrows lead to the others. */
  function stop(place) {
    chips.forEach(({ button }, other) => { button.tabIndex = other === place ? 0 : -1; });
  }

  return {
    node: strip,

    /** @param opens `(seconds)`: whether a pause of this length begins a session. */
    draw(events, opens, ending) {
      const now = JSON.stringify(events.map((event, place) => [event.item_id, event.title, event.time, event.known_item, opens(pause(events, place))]));
      if (now === drawn) {
        strip.lastElementChild.replaceWith(ending);
        return;
      }
      drawn = now;
      const had = chips.findIndex(({ button }) => button === document.activeElement);
      chips = events.map(chip);
      strip.replaceChildren(...chips.flatMap(({ node }, place) => {
        const seconds = pause(events, place);
        return seconds >= SAID || opens(seconds) ? [between(seconds, opens(seconds)), node] : [node];
      }), ending);
      stop(chips.length - 1);
      if (had >= 0) this.focus(Math.min(had, chips.length - 1));
      requestAnimationFrame(() => { strip.scrollLeft = strip.scrollWidth; }); // with the layout that comes anyway
    },

    focus: (place) => chips[place]?.button.focus(),

    /** Show how far each event pushed an item: a Map from places to signed differences; `chosen` is the event pointed at. */
    light(pushes, chosen = null) {
      const most = Math.max(...[...pushes.values()].map(Math.abs), 0);
      chips.forEach(({ button, push }, place) => {
        const by = pushes.get(place) ?? 0;
        button.classList.toggle("raised", by > 0);
        button.classList.toggle("lowered", by < 0);
        button.style.setProperty("--strength", most ? Math.abs(by) / most : 0);
        button.setAttribute("aria-pressed", String(place === chosen));
        push.textContent = by ? `${by > 0 ? "▲" : "▼"} ${signed(by)}` : "";
        if (by && Math.abs(by) === most) requestAnimationFrame(() => this.reveal(place));
      });
    },

    /** Have an event in view. */
    reveal(place) {
      if (!chips[place]) return;
      const { left, right } = chips[place].node.getBoundingClientRect(), seen = strip.getBoundingClientRect();
      const by = left < seen.left ? left - seen.left - 24 : right > seen.right ? right - seen.right + 24 : 0;
      if (by) strip.scrollBy({ left: by, behavior: calm.matches ? "instant" : "smooth" });
    },
  };
}

const pause = (events, place) => (place ? events[place].time - events[place - 1].time : 0);

function between(seconds, opens) {
  const words = opens ? "new session" : "later";
  return element("li", { class: opens ? "pause opens" : "pause" }, element("span", {}, duration(seconds)), ` ${words}`);
}
