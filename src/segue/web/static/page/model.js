// The view Model: what serves, how good it was, how it learned, what diversity costs it, and what it was made with.

import { dropped, latest } from "./api.js";
import { element, trouble } from "./dom.js";
import { comparison } from "./comparison.js";
import { curves } from "./curves.js";
import { frontier } from "./frontier.js";
import { markdown } from "./markdown.js";
import { onNewModel } from "./serving.js";
import { settings } from "./settings.js";
import { caveats, day, verdict } from "./verdict.js";
import { number } from "./words.js";

/** Draws the view into its section, once; what it shows is asked for each time it is opened. */
export function model(root, api) {
  const body = element("div", { class: "stack" }, element("p", { class: "quiet" }, "Asking the server …"));
  const asking = latest();
  let shows = null;
  root.append(body);

  async function ask() {
    const signal = asking.begin();
    try {
      const said = await api.get("/v1/model", { signal });
      const state = JSON.stringify(said);
      if (state === shows) return;
      shows = state;
      body.replaceChildren(...parts(said));
    } catch (error) {
      if (dropped(error)) return;
      shows = null;
      body.replaceChildren(element("h2", {}, "Model"), trouble(error.message, ask));
    }
  }

  onNewModel(() => { if (!root.hidden) ask(); });
  return { shown: ask, hidden: () => asking.stop() };
}

function parts(said) {
  const found = verdict(said);
  return [
    element("h2", {}, said.name),
    element("p", { class: "lead" }, origin(said)),
    element("div", { class: `card verdict ${{ true: "wins", false: "loses" }[found.good] ?? ""}` }, [
      element("p", { class: "words" }, found.text),
      caveats(said).map((one) => element("p", { class: "note" }, one)),
    ]),
    comparison(said),
    curves(said),
    frontier(said),
    settings(said),
    card(said),
  ].filter(Boolean);
}

/** When and from what, in a sentence or two. */
function origin(said) {
  const words = [`Version ${said.version}, ${said.n_items.toLocaleString("en")} items`];
  if (said.parameters) words.push(`, ${short(said.parameters)} weights`);
  words.push(".");
  if (said.made) {
    const until = said.cutoff == null ? "" : `, all before ${day(said.cutoff)}`;
    words.push(` Made on ${day(Date.parse(said.made) / 1000)} from ${said.events.toLocaleString("en")} events${until}.`);
  }
  return words.join("");
}

const short = (count) => (count >= 1e6 ? `${number(count / 1e6)} million` : count.toLocaleString("en"));

function card(said) {
  if (!said.card) return null;
  return element(
    "details",
    { class: "card" },
    element("summary", {}, element("h3", {}, "The model card")),
    element("div", { class: "prose" }, markdown(said.card)),
  );
}
