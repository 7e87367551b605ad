// What may be said of a list: its length, how alike its items may be, what may be in it.

import { element, fresh, shortened } from "./dom.js";
import { settings } from "./request.js";
import { plural } from "./words.js";

const LONGEST = 50;

const STRATEGIES = {
  mmr: "each unlike those above it", dpp: "all unlike each other", calibrated: "the mix of the history", quotas: "a few of each category",
  less_popular: "less of what is popular", long_tail: "some places for rare items", rotation: "drawn anew each time", exploration: "some places for new items",
};
const SIMILARITIES = { auto: "whatever there is", attributes: "their categories, else titles", vectors: "what follows the same histories" };
const EXCLUDES = { none: "nothing", current: "the last item of the session", seen: "all items of the history" };
const named = (words) => (value) => (Object.hasOwn(words, value) ? `${words[value]} (${value})` : value);

/** @param changed told of `{ k: 20 }` and the like; null: as the server has it. */
export function controls(changed) {
  const k = slider("How many", { min: 1, max: LONGEST, step: 1 }, (value) => changed({ k: value }), String);
  const diversity = slider("Diversity", { min: 0, max: 1, step: 0.05 }, (value) => changed({ diversity: value }),
    (value) => (value ? value.toFixed(2) : "off"));
  const strategy = choice("How it is made diverse", (value) => changed({ strategy: value }), named(STRATEGIES));
  const similarity = choice("Alike are items by", (value) => changed({ similarity: value }), named(SIMILARITIES));
  const exclude = choice("Leave out", (value) => changed({ exclude: value }), named(EXCLUDES));
  const scenario = choice("Scenario", (value) => changed({ scenario: value || null }), (value) => value || "none");
  const idle = element("p", { class: "small quiet" }, "The first two need diversity above 0.");
  const boxes = element("div", { class: "checks" });
  const only = element("summary", {});
  const filter = element("details", { class: "filter" }, only, element("fieldset", {}, element("legend", { class: "unseen" }, "Only these categories"), boxes));
  const reset = element("button", { type: "button", class: "plain", onclick: () => changed({
    k: null, diversity: null, strategy: null, similarity: null, exclude: null, scenario: null, categories: [],
  }) }, "Back to the server's settings");
  const more = element("div", { id: fresh("more"), class: "card more", hidden: true },
    strategy.node, similarity.node, exclude.node, scenario.node, idle, filter);
  const opener = element("button", { type: "button", class: "plain", "aria-expanded": "false", "aria-controls": more.id, onclick: open }, "More settings");
  let drawnFrom = null;

  function open() {
    more.hidden = !more.hidden;
    opener.setAttribute("aria-expanded", String(!more.hidden));
    opener.textContent = more.hidden ? "More settings" : "Fewer settings";
  }

  function drawChoices(choices) {
    drawnFrom = choices;
    strategy.offer(choices.strategies);
    similarity.offer(choices.similarities);
    exclude.offer(choices.excludes);
    scenario.offer(["", ...choices.scenarios]);
    scenario.node.hidden = !choices.scenarios.length;
    diversity.node.hidden = strategy.node.hidden = similarity.node.hidden = !choices.strategies.length;
    filter.hidden = !choices.categories.length;
    boxes.replaceChildren(...choices.categories.map(({ category, items }) => {
      const id = fresh("category");
      return element("label", { class: "check small", htmlFor: id },
        element("input", { id, type: "checkbox", value: category, onchange: () => changed({ categories: ticked() }) }),
        element("bdi", {}, shortened(category, 60)), element("span", { class: "quiet figure" }, ` ${items.toLocaleString("en")}`));
    }));
  }

  const ticked = () => [...boxes.querySelectorAll("input:checked")].map(({ value }) => value);

  return {
    sliders: [k.node, diversity.node], tools: element("div", { class: "row tools small" }, opener, reset), more,

    draw(asked, choices) {
      if (choices && choices !== drawnFrom) drawChoices(choices);
      const now = settings(asked, choices);
      k.set(now.k);
      diversity.set(now.diversity);
      for (const [control, value] of [[strategy, now.strategy], [similarity, now.similarity], [exclude, now.exclude], [scenario, now.scenario ?? ""]]) control.set(value);
      strategy.disable(now.diversity === 0);
      similarity.disable(now.diversity === 0);
      idle.hidden = now.diversity > 0 || strategy.node.hidden;
      for (const box of boxes.querySelectorAll("input")) box.checked = asked.categories.includes(box.value);
      const many = asked.categories.length;
      only.textContent = many ? `Only ${plural(many, "category", "categories")}` : "All categories";
      reset.hidden = !many && ["k", "diversity", "strategy", "similarity", "exclude", "scenario"].every((key) => asked[key] === null);
    },
  };
}

function slider(label, bounds, changed, words) {
  const id = fresh("slider");
  const value = element("output", { htmlFor: id, class: "figure" });
  const input = element("input", { id, type: "range", ...bounds, oninput: () => changed(input.valueAsNumber) });
  return {
    node: element("div", { class: "field" }, element("div", { class: "named" }, element("label", { htmlFor: id }, label), value), input),
    set(now) {
      input.max = Math.max(bounds.max, now);
      input.value = now;
      value.textContent = words(now);
      input.setAttribute("aria-valuetext", words(now));
    },
  };
}

function choice(label, changed, words) {
  const id = fresh("choice");
  const select = element("select", { id, onchange: () => changed(select.value) });
  return {
    node: element("div", { class: "field" }, element("label", { htmlFor: id }, label), select),
    offer: (values) => select.replaceChildren(...values.map((value) => element("option", { value }, words(value)))),
    set: (value) => { select.value = value; },
    disable: (yes) => { select.disabled = yes; },
  };
}
