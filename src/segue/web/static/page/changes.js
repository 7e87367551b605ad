// What one does to the history on screen: an item more, one less, two exchanged.

import { bare, exchanged, without } from "./events.js";
import { nextTime } from "./request.js";

/**
 * @param now gives `{ asked, stored, events }` of the moment.
 * @param parts `{ strip, list, pointing, known }` of the view; `go(asked)` leads to another history.
 */
export function historyChanges(now, { strip, list, pointing, known }, go) {
  /** Whether the history is there that one would change: what is stored may be on its way, or not to be had. */
  function had({ asked, stored }) {
    if (asked.user === null || asked.history !== null || stored !== null) return true;
    list.refuse("What is stored must be read first.");
    return false;
  }

  return {
    add(item) {
      if (!had(now())) return;
      const { asked, events } = now();
      known.add(item);
      const event = { item_id: item.item_id, time: nextTime(asked, events, Date.now() / 1000) };
      go({ ...asked, history: [...bare(events), event], pause: 0 });
    },

    remove(place) {
      if (!had(now()) || strip.node.inert) return;
      const { asked, events } = now();
      go({ ...asked, history: without(bare(events), place) });
    },

    move(place, step) {
      const { asked, events } = now();
      if (strip.node.inert || !events[place + step]) return;
      pointing.follow(place + step);
      go({ ...asked, history: exchanged(bare(events), place, step) });
      strip.focus(place + step);
    },
  };
}
