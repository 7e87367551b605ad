// What was done, in tables: by route, events, lists, states. Each is a card with `update(seen)`.

import { element } from "./dom.js";
import { BECAME, perSecond, share, SOURCES, spent, STATUSES } from "./health_words.js";
import { samples, single, summed } from "./metrics_text.js";
import { total } from "./rates.js";
import { wordOf } from "./words.js";

const figure = (text) => element("td", { class: "figure" }, text);
const head = (text, number = true) => element("th", { scope: "col", class: number ? "figure" : "" }, text);

function card(title, headings, note) {
  const body = element("tbody", {});
  const words = element("p", { class: "quiet small" }, note ?? "");
  const table = element("table", { class: "table counts", ariaLabel: title }, element("thead", {}, element("tr", {}, headings)), body);
  const wide = element("div", { class: "wide", tabIndex: 0, role: "region", ariaLabel: title }, table);
  return { card: element("section", { class: "card" }, element("h3", {}, title), wide, words), body, words };
}

function fill(body, rows) {
  body.replaceChildren(...rows.map(([name, ...cells]) => element("tr", {}, element("th", { scope: "row" }, name), cells.map(figure))));
}

/** Requests by route over the last ten seconds, and answers that are not 200 since the server began. */
export function routes() {
  const made = card("Requests by route", [head("route", false), head("a second"), head("half within"), head("99\u00a0% within")]);
  return {
    card: made.card,
    update({ recent, reading }) {
      const rows = (recent?.routes ?? []).map((one) => [one.route, perSecond(one.rate), spent(one.latency?.p50), spent(one.latency?.p99)]);
      fill(made.body, rows.length ? rows : [["nothing was asked yet", "–", "–", "–"]]);
      const statuses = summed(reading, "segue_requests_total", "status", (labels) => labels.route.startsWith("/v1/"));
      const failed = [...statuses].filter(([status]) => status >= "400").sort();
      const told = failed.map(([status, count]) => `${count.toLocaleString("en")} with ${status} (${wordOf(STATUSES, status, "refused")})`);
      made.words.textContent = told.length ? `Since the server began not answered as asked: ${told.join(", ")}.` : "Since the server began every request was answered.";
      made.words.classList.toggle("bad", failed.some(([status]) => status >= "500"));
    },
  };
}

/** Events by what became of them. */
export function events() {
  const made = card("Events by what became of them", [head("event", false), head("a second"), head("since it began")]);
  return {
    card: made.card,
    update({ recent, reading }) {
      const all = summed(reading, "segue_events_total", "became");
      fill(made.body, [...all].map(([became, count]) => [
        wordOf(BECAME, became),
        recent ? perSecond((recent.events.get(became) ?? 0) / recent.seconds) : "–",
        count.toLocaleString("en"),
      ]));
    },
  };
}

/** Where the items of lists come from, and how many lists are short. */
export function lists() {
  const made = card("Items of lists by where they come from", [head("source", false), head("last 10\u00a0s"), head("since it began")]);
  return {
    card: made.card,
    update({ recent, reading }) {
      const all = summed(reading, "segue_items_total", "source");
      const of = recent ? total(recent.sources) : 0;
      fill(made.body, [...all].map(([source, count]) => [
        wordOf(SOURCES, source),
        share(recent?.sources.get(source) ?? 0, of),
        share(count, total(all)),
      ]));
      const [short, given] = [single(reading, "segue_short_lists_total") ?? 0, single(reading, "segue_answers_total") ?? 0];
      made.words.textContent = given
        ? `${short.toLocaleString("en")} of ${given.toLocaleString("en")} lists had fewer items than asked for (${share(short, given)}).`
        : "No list was asked for yet.";
    },
  };
}

/** What the server holds at the moment. */
export function states() {
  const made = card("States", [head("count", false), head("now")]);
  return {
    card: made.card,
    update({ reading }) {
      const [warm, users] = [single(reading, "segue_warm_states"), single(reading, "segue_states")];
      const refolds = summed(reading, "segue_refolds_total", "history");
      const damaged = single(reading, "segue_damaged_states_total") ?? 0;
      const refused = samples(reading, "segue_model_refused")[0]?.labels.version;
      fill(made.body, [
        ["users with a state (counted once a minute)", (users ?? 0).toLocaleString("en")],
        ["of them warm: made by this model", users ? share(warm * users, users) : "–"],
        ["folded anew from events since it began", total(refolds).toLocaleString("en")],
        ["states that could not be read", damaged.toLocaleString("en")],
        ["requests that wait", (single(reading, "segue_waiting") ?? 0).toLocaleString("en")],
        ["version that was refused", refused ?? "none"],
      ]);
    },
  };
}
