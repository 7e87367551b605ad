// Whether to trust the list: how often the test's next item was in one. Pure, but for the sentence's link.

import { element } from "./dom.js";

/** What a model's report says of lists like these: the shares that hit, by model; null: it says nothing. */
export function hits(model) {
  const rows = model?.metrics?.report?.rows ?? [];
  const own = rows.find(({ baseline }) => !baseline);
  const name = Object.keys(own?.metrics ?? {}).find((metric) => /^hr@\d+$/.test(metric));
  if (!name) return null;
  const others = rows.filter(({ baseline, metrics }) => baseline && metrics[name]).map((row) => [row.model, row.metrics[name].value]);
  others.sort((one, other) => other[1] - one[1]);
  return { k: Number(name.slice(3)), value: own.metrics[name].value, cases: own.predictions, best: others[0] ?? null, popular: others.find(([model]) => model === "popularity") ?? null };
}

const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
const NAMES = { popularity: "most popular", recent_popularity: "popular of late", markov: "after the last item", sknn: "similar histories" };

/** The sentence; empty where the model was not tested. */
export function trustWords(model) {
  const found = hits(model);
  if (!found) return "";
  const { k, value, cases, best, popular } = found;
  const rivals = [...new Map([best, popular].filter(Boolean))].map(([model, share]) => `${NAMES[model] ?? model}: ${percent(share)}`);
  const than = rivals.length ? ` (${rivals.join(", ")})` : "";
  return `Tested on ${cases.toLocaleString("en")} events that it had not seen: what came next was in its first ${k} in ${percent(value)} of cases${than}.`;
}

/** Say so in a node, once the server has told. */
export async function showTrust(node, api) {
  try {
    const words = trustWords(await api.get("/v1/model"));
    if (words) node.replaceChildren(`${words} `, element("a", { href: "#model" }, "How it was tested"));
  } catch (error) {
    console.warn(error); // the view Model tells why
  }
}
