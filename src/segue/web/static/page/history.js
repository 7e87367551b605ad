// The history as a strip of events, oldest first, with the pauses between them.

import { element, name, shortened } from "./dom.js";
import { duration, signed } from "./words.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const SAID = 120; // seconds: shorter pauses are not worth a word

/**
 * @param told `{ point(place), remove(place), move(place, step) }`; `place` counts the events from 0.
 */
export function historyStrip(told) {
  const strip = element("ol", { class: "strip", "aria-label": "History, oldest first" });
  let chips = [], drawn = "";

  function chip(event, place) {
    const button = element("button", {
      type: "button", class: "chip", "aria-keyshortcuts": "Delete Alt+ArrowLeft Alt+ArrowRight",
      onpointerenter: (pointed) => pointed.pointerType === "mouse" && told.point(place),
      onfocus: () => told.point(place), onclick: () => told.point(place),
      onkeydown: (pressed) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[pressed.key];
        if (pressed.key === "Delete") told.remove(place);
        else if (step && pressed.altKey) told.move(place, step);
        else if (step) chips[place + step]?.button.focus();
        else return;
        pressed.preventDefault();
      },
    });
    const push = element("span", { class: "push figure" });
    const text = event.title ?? event.item_id;
    button.append(element("span", { class: "chip-title" }, name(text)), push);
    if (event.known_item === false) button.append(element("span", { class: "small quiet" }, "unknown to the model"));
    const remove = element("button", {
      type: "button", class: "remove", "aria-label": `Remove ${shortened(text)}`, onclick: () => told.remove(place),
    }, "×");
    return { button, push, node: element("li", { class: "event" }, button, remove) };
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
      const had = chips.findIndex(({ node }) => node.contains(document.activeElement));
      chips = events.map(chip);
      strip.replaceChildren(...chips.flatMap(({ node }, place) => {
        const seconds = pause(events, place);
        return seconds >= SAID || opens(seconds) ? [between(seconds, opens(seconds)), node] : [node];
      }), ending);
      if (had >= 0) this.focus(Math.min(had, chips.length - 1));
      strip.scrollLeft = strip.scrollWidth;
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
        if (by && Math.abs(by) === most) this.reveal(place);
      });
    },

    /** Have an event in view. */
    reveal(place) {
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
