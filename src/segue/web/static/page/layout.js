// Where the parts of Play stand.

import { element } from "./dom.js";
import { opensSession } from "./pause.js";

export function layOut(root, { start, whose, stripTrouble, strip, pause, wishes, list, pointing }) {
  root.append(
    element("header", { class: "intro" }, element("h2", {}, "What comes next?"),
      element("p", { class: "lead" }, "Put together what somebody did. The list shows what the model expects next, and why.")),
    element("div", { class: "start" }, start.nodes),
    element("section", { class: "card history", "aria-label": "History" }, whose.node, stripTrouble, strip.node),
    element("section", { class: "wishes", "aria-label": "Settings" },
      pause.node, wishes.sliders, pause.meaning, wishes.tools),
    element("div", { class: "columns playing" }, wishes.more, list.node, pointing.home));
}

/** Draw what is asked, and whose history it is; `events` are those that are shown. */
export function drawParts({ strip, pause, wishes, whose }, { asked, stored, choices, events }, told) {
  const opens = (seconds) => opensSession(seconds, choices?.gap);
  const { seconds, text } = pause.draw(asked, events, choices);
  const end = element("li", { class: opens(seconds) ? "ending opens" : "ending" }, `What comes ${events.length ? text : "first"}?`);
  strip.draw(events, opens, end);
  wishes.draw(asked, choices);
  whose.draw(asked, stored, told);
}
