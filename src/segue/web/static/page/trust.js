// Whether to trust the list: how often the test's next item was in one. Pure, but for the sentence's link.

import { element } from "./dom.js";
import { spoken } from "./names.js";
import { percent } from "./words.js";

/** What a model's report says of lists like these: the shares that hit, by model; null: it says nothing. */
export function hits({ name, metrics }) {
  const rows = metrics?.report?.rows ?? [];
  const own = rows.find((row) => row.model === name); // there may be other networks beside it
  const metric = Object.keys(own?.metrics ?? {}).find((one) => /^hr@\d+$/.test(one));
  const value = metric && own.metrics[metric].value;
  if (value == null) return null;
  const others = rows.filter((row) => row.baseline && row !== own && row.metrics[metric]?.value != null)
    .map((row) => [row.model, row.metrics[metric].value]).sort((one, other) => other[1] - one[1]);
  return { k: Number(metric.slice(3)), value, cases: own.predictions, best: others[0] ?? null, popular: others.find(([model]) => model === "popularity") ?? null };
}

/** The sentence; empty where the model was not tested. */
export function trustWords(model) {
  const found = hits(model);
  if (!found) return "";
  const { k, value, cases, best, popular } = found;
  const rivals = [...new Map([best, popular].filter(Boolean))].map(([name, share]) => `${spoken(name)}: ${percent(share)}`);
  const than = rivals.length ? ` (${rivals.join(", ")})` : "";
  return `Tested on ${cases.toLocaleString("en")} events ${when(model)}: what came next was in its first ${k} in ${percent(value)} of cases${than}.`;
}

/** The weights that were tested had not seen the events of the test; those that serve may have. */
function when({ split, update_of: update }) {
  if (update) return "when it was first trained";
  return split === "everything" ? "before it learned from everything" : "that it had not seen";
}

const TOLD = new Set(["state", "initial_state", "anyone"]);

/** Whether the test asked for lists like this one: of the model, after some event. */
export const covers = ({ items }, events) => events > 0 && items.some(({ source }) => TOLD.has(source));

/** How a model stands to the best baseline by the paired test: `{ kind, words }`; kind "" where nobody can tell. */
export function standing({ name, metrics }) {
  const report = metrics?.report, own = report?.rows?.find((row) => row.model === name);
  if (!own) return { kind: "", words: "How good this model is was not tested." };
  if (own.baseline) return { kind: "", words: `This model is a baseline, ${spoken(name)}: no network was learned.` };
  const best = report.rows.find((row) => row.baseline);
  if (!best) return { kind: "", words: "It was compared with no baseline." };
  const { low, high } = own.against_best_baseline ?? {}, rival = spoken(best.model);
  if (low == null || high == null) return { kind: "", words: `There were too few users to tell it from ${rival}, the best baseline.` };
  if (low > 0) return { kind: "wins", words: `This model beats ${rival}, the best baseline.` };
  if (high < 0) return { kind: "loses", words: `This model loses to ${rival}, a baseline: its lists are worse than that would give.` };
  return { kind: "", words: `This model cannot be told from ${rival}, a baseline, by its test.` };
}

/** Say so in a node, once the server has told. */
export async function showTrust(node, api) {
  try {
    const model = await api.get("/v1/model"), { kind, words } = standing(model);
    node.className = kind === "loses" ? "note loses" : "small quiet";
    node.replaceChildren(element(kind === "loses" ? "strong" : "span", {}, words), ` ${trustWords(model)} `, element("a", { href: "#model" }, "How it was tested"));
  } catch (error) {
    console.warn(error); // the view Model tells why
  }
}
