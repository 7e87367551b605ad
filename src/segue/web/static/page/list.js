// The ranked list: what is recommended, how it moved, and the shortest reason.

import { element, fresh, name, pointing, shortened } from "./dom.js";
import { bars, moveWords } from "./moves.js";
import { evidence, shortReason } from "./reason.js";
import { alike, called, score, signed, sourceWords } from "./words.js";

const MOST = 6; // categories of an item
const MARKS = { new: () => "new", up: (by) => `▲ ${by}`, down: (by) => `▼ ${by}`, same: () => "", first: () => "" };
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const sentence = (parts) => parts.map((part) => (part.title == null ? part : name(shortened(part.title, 60))));

/** @param told `{ choose(item), point(id, deliberate) }`. */
export function rankedList(told) {
  const list = element("ol", { class: "ranked", "aria-label": "Recommended next, best first" });
  const rows = new Map();

  function row(item, move, reach, shared) {
    const text = called(item);
    const point = (deliberate) => told.point(item.item_id, deliberate);
    const title = element("button", { type: "button", class: "choose", onclick: () => told.choose(item), onfocus: () => point(false) },
      name(text), element("span", { class: "unseen" }, ": add to the history"));
    const why = element("button", {
      type: "button", class: "why plain", "aria-label": `Why ${shortened(text)}`, "aria-pressed": "false",
      onclick: () => point(true), onfocus: () => point(false),
    }, "Why?");
    const bar = element("span", {});
    bar.style.width = `${(100 * reach).toFixed(1)}%`;
    const mark = element("span", { class: `move ${move.kind}` }, element("span", { "aria-hidden": "true" }, MARKS[move.kind](move.by)),
      element("span", { class: "unseen" }, moveWords(move)));
    const categories = element("span", { class: "categories small quiet" });
    const reason = element("p", { id: fresh("reason"), class: "reason small" });
    title.setAttribute("aria-describedby", reason.id);
    const source = element("span", {}, sourceWords(item.source)[0]);
    const push = element("span", { class: "push figure" });
    const node = element("li", { class: "item", onpointermove: (moved) => pointing(moved) && point(false) },
      element("div", { class: "rank figure" }, element("span", {}, String(item.rank)), mark),
      element("div", { class: "what" }, element("div", { class: "title-line" }, title, shared && element("span", { class: "small quiet id" }, name(item.item_id)), categories), reason),
      element("div", { class: "score" },
        element("div", { class: "value" },
          element("div", { class: "reach", "aria-hidden": "true" }, bar),
          element("span", { class: "figure" }, element("span", { class: "unseen" }, "score "), score(item.score))),
        element("div", { class: "source small quiet" }, source, push)),
      why);
    return { item, node, title, why, categories, reason, source, push };
  }

  return {
    node: list,
    row: (id) => rows.get(id)?.node,

    /** @param moved as `moves` gives it. */
    draw(items, moved) {
      const before = new Map([...rows].map(([id, { node }]) => [id, node.getBoundingClientRect().top]));
      const held = [...rows.values()].find(({ node }) => node.contains(document.activeElement));
      const held_why = held?.why === document.activeElement;
      rows.clear();
      const reach = bars(items), twice = alike(items);
      items.forEach((item, place) => rows.set(item.item_id, row(item, moved.get(item.item_id), reach[place], twice.has(called(item)))));
      list.replaceChildren(...[...rows.values()].map(({ node }) => node));
      if (held) {
        const heir = [...rows.values()][Math.min(held.item.rank, rows.size) - 1];
        (held_why ? heir?.why : heir?.title)?.focus({ preventScroll: true });
      }
      if (!calm.matches) this.glide(before);
    },

    /** Let rows glide from where they were; new ones fade in. */
    glide(before) {
      if (!before.size) return;
      for (const [id, { node }] of rows) {
        const way = (before.get(id) ?? NaN) - node.getBoundingClientRect().top;
        const from = Number.isNaN(way) ? { opacity: .35 } : way ? { transform: `translateY(${way}px)` } : null;
        if (from) node.animate([from, {}], { duration: 220, easing: "cubic-bezier(.2, .7, .2, 1)" });
      }
    },

    /** @param known as `knownItems` gives it. */
    details(known) {
      for (const [id, { categories }] of rows) {
        const text = (known.get(id)?.categories ?? []).slice(0, MOST).map((one) => shortened(one, 60)).join(" · ");
        if (categories.textContent !== text) categories.textContent = text;
      }
    },

    /** @param items as `meant` gives them; @param many events of the history. */
    reasons(items, many) {
      for (const { item_id: id, source: from, reasons: why } of items) {
        const row = rows.get(id);
        if (!row) continue;
        const more = evidence(from, why);
        row.source.textContent = sourceWords(from)[0];
        row.reason.replaceChildren(...sentence(shortReason(from, why, many)), more.length ? element("span", { class: "evidence quiet" }, " · ", sentence(more)) : "");
      }
    },

    /** Show how far the event pointed at pushed each item: a Map from ids to signed differences; `chosen` is the item pointed at. */
    light(pushes, chosen = null) {
      const most = Math.max(...[...pushes.values()].map(Math.abs), 0);
      for (const [id, { node, push, why }] of rows) {
        const by = pushes.get(id) ?? 0;
        node.classList.toggle("raised", by > 0);
        node.classList.toggle("lowered", by < 0);
        node.classList.toggle("chosen", id === chosen);
        node.style.setProperty("--strength", most ? Math.abs(by) / most : 0);
        why.setAttribute("aria-pressed", String(id === chosen));
        push.textContent = by ? `${by > 0 ? "▲" : "▼"} ${signed(by)}` : "";
      }
    },
  };
}
