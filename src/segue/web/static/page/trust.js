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

/** Say so in a node, once the server has told. */
export async function showTrust(node, api) {
  try {
    const words = trustWords(await api.get("/v1/model"));
    if (words) node.replaceChildren(`${words} `, element("a", { href: "#model" }, "How it was tested"));
    else node.replaceChildren(); // another model may have said something
  } catch (error) {
    console.warn(error); // the view Model tells why
  }
}
