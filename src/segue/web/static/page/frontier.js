// What diversity costs: accuracy against what is bought, by strategy, with the place where this server stands.

import { chart } from "./chart.js";
import { element, fresh } from "./dom.js";
import { number, percent, wordOf } from "./words.js";

const GAINS = {
  intra_list_diversity: "diversity within a list",
  coverage: "share of the catalog in some list",
  gini: "inequality between items (Gini, less is fairer)",
  novelty: "novelty, in bits",
};

const BOUGHT = { intra_list_diversity: "diversity within a list", coverage: "of the catalog in some list" };

/** The part of the view: the frontier, or how to measure it. */
export function frontier({ frontier: kept, defaults }) {
  const heading = element("h3", {}, "What diversity costs");
  const section = element("section", { class: "stack", ariaLabel: "What diversity costs" }, heading);
  if (!kept) {
    section.append(element("p", { class: "lead" }, "It was not measured for this model. This does it, and the picture is here at once: ", element("code", {}, "segue frontier MODEL LOG")));
    return section;
  }
  const found = kept.frontier;
  const here = standing(found, defaults);
  const id = fresh("gain");
  const select = element("select", { id }, Object.entries(GAINS).filter(([name]) => found.points[0]?.metrics[`${name}@${found.k}`])
    .map(([name, words]) => element("option", { value: name }, words)));
  const made = chart({ ...pictured(found, here, select.value), height: 340 });
  select.onchange = () => made.update(seriesOf(found, select.value), pictured(found, here, select.value));
  section.append(
    element("p", { class: "lead" }, here.text),
    bought(found),
    element("div", { class: "card" }, element("div", { class: "field narrow" }, element("label", { htmlFor: id }, "Accuracy against"), select), made.figure),
    element("p", { class: "quiet small" }, about(kept)),
  );
  return section;
}

const worth = (found) => `ndcg@${found.k}`;

function seriesOf(found, gain) {
  const names = [...new Set(found.points.map((point) => point.strategy))];
  return names.map((name) => ({
    name,
    points: found.points.filter((point) => point.strategy === name).map((point) => ({
      x: point.metrics[`${gain}@${found.k}`]?.value,
      y: point.metrics[worth(found)].value,
      note: `at ${number(point.diversity)}`,
    })).filter((point) => point.x != null),
  }));
}

function pictured(found, here, gain) {
  const series = seriesOf(found, gain);
  const at = here.place(gain);
  return {
    title: `${worth(found)} against what it is given for`,
    describe: `${series.length} strategies, a line each, from the model's own order at the knob's 0 to the most at 1. ${here.text} The table has the numbers.`,
    x: { label: GAINS[gain], format: (value) => number(value) },
    y: { label: `${worth(found)}` },
    series,
    rings: at ? [{ ...at, label: "this server" }] : [],
    caption: "Up is more accurate. Choose a name to bring its line out.",
  };
}

/** Where the server stands: its usual strategy at its usual place of the knob, between two measured places if need be. */
export function standing(found, defaults) {
  const { diversity, strategy } = defaults;
  const nowhere = (which) => ({ place: () => null, text: `This server ${which}, which was not measured.` });
  if (defaults.k !== found.k) return nowhere(`gives lists of ${defaults.k}`);
  if (defaults.exclude !== found.exclude) return nowhere(`leaves out ${EXCLUDED[defaults.exclude]}`);
  if (diversity && alikeBy(found, defaults) !== spaceOf(found.similarity)) return nowhere(`uses ${strategy} with items alike by ${ALIKE[alikeBy(found, defaults)]}`);
  const all = diversity ? found.points.filter((point) => point.strategy === strategy) : found.points.slice(0, 1);
  const line = [...all].sort((a, b) => a.diversity - b.diversity);
  const below = line.filter((point) => point.diversity <= diversity).at(-1);
  const above = line.find((point) => point.diversity >= diversity);
  if (!below || !above) return nowhere(`uses ${strategy} at ${diversity}`);
  const part = above === below ? 0 : (diversity - below.diversity) / (above.diversity - below.diversity);
  const value = (name) => {
    const [a, b] = [below, above].map((point) => point.metrics[name]?.value);
    return a == null || b == null ? null : a + part * (b - a);
  };
  const between = part ? `, between the measured ${below.diversity} and ${above.diversity}` : "";
  const cost = value(worth(found)) / found.points[0].metrics[worth(found)].value - 1;
  const text = diversity
    ? `This server makes lists by ${strategy} at ${diversity} unless a request says otherwise${between}: about ${percent(Math.abs(cost))} ${cost > 0 ? "more" : "less"} ${worth(found)} than the model's own order.`
    : "This server gives the model's own order unless a request asks for diversity.";
  return {
    place(gain) {
      const [x, y] = [value(`${gain}@${found.k}`), value(worth(found))];
      return x == null || y == null ? null : { x, y };
    },
    text,
  };
}

/** `vectors` or `attributes`, of what a measurement says of it: its attributes have names, the model's vectors one. */
const spaceOf = (words) => (/^the (items' categories|words of)/.test(words) ? "attributes" : "vectors");

/** What the server's items are alike by: `auto` takes attributes where there are some, by which diversity is then measured. */
const alikeBy = (found, { similarity }) => (similarity === "auto" ? spaceOf(found.measured_by) : similarity);

const ALIKE = { attributes: "their categories or titles", vectors: "the model's vectors" };
const EXCLUDED = { none: "nothing", current: "the last item of a session alone", seen: "all items that a user had" };

/** What the best strategy buys at the loss allowed, a line a gain. */
function bought(found) {
  const gains = [...new Set(found.points.flatMap((point) => point.best_of))];
  const told = gains.map((gain) => {
    const best = found.points.filter((point) => point.best_of.includes(gain)).reduce((a, b) => (a.change[gain] >= b.change[gain] ? a : b));
    const { value, low, high } = best.loss;
    const span = low == null ? "" : ` (95\u00a0% interval ${signed(-high)} to ${signed(-low)})`;
    return `${signed(best.change[gain])} ${wordOf(BOUGHT, gain.split("@")[0], gain)} by ${best.strategy} at ${best.diversity}, for ${signed(-value)} ${worth(found)}${span}.`;
  });
  const at = `For at most ${percent(found.allowed_loss)} of ${worth(found)} no strategy buys more than`;
  if (!told.length) return element("p", {}, `${at} the model's own order has.`);
  return element("div", {}, element("p", {}, `${at}:`), element("ul", { class: "bullets" }, told.map((one) => element("li", {}, one))));
}

const signed = (part) => `${part > 0 ? "+" : part < 0 ? "−" : ""}${percent(Math.abs(part))}`;

function about({ measured_at: at, frontier: found }) {
  const split = found.split;
  return `Measured on ${at.slice(0, 10)}: ${split.predictions.toLocaleString("en")} predictions of ${split.users.toLocaleString("en")} users, lists of ${found.k} from the best ${found.pool}. `
    + `Items are alike by ${found.similarity}; diversity is measured by ${found.measured_by}. ${found.notes.join(". ")}`;
}
