// Why an item stands in a list, in one line that its figures bear out. Pure.

import { called, sourceWords } from "./words.js";

const OFTEN = { times: 5, share: 0.03 };

/**
 * An answer's items as one may speak of them. What the model does not know is no reason; and where no event moves any
 * score, `source` is not the history: `anyone`, or `unknown` where the model knows none of it.
 *
 * @param answer with reasons.
 * @param history its events: `item_id`, and `known_item` false for what the model does not know.
 */
export function meant({ items, unknown_items: unknown = [] }, history) {
  const strange = new Set([...unknown, ...history.filter(({ known_item: known }) => known === false).map(({ item_id: id }) => id)]);
  const known = history.filter(({ item_id: id }) => !strange.has(id));
  const found = items.map(({ reasons, ...item }) => ({ ...item, reasons: { ...reasons, events: reasons.events.filter(({ item_id: id }) => !strange.has(id)) } }));
  const said = history.length && !found.some(({ reasons }) => reasons.events.length) ? (known.length ? { state: "anyone" } : { state: "unknown", initial_state: "unknown" }) : {};
  return found.map((item) => {
    const source = Object.hasOwn(said, item.source) ? said[item.source] : item.source;
    return source === "anyone" ? { ...item, source, reasons: { ...item.reasons, followed: [] } } : { ...item, source };
  });
}

/**
 * The shortest true reason of a listed item, in parts: text, or { title } for what may be any text.
 *
 * @param reasons as the server gives them: events (strongest first), followed, rank_without_rules.
 * @param many events of the history; those that are not among the reasons moved the score less.
 */
export function shortReason(source, { events, followed }, many = events.length) {
  if (source === "pin") return [sourceWords(source)[1]];
  if (!events.length) return followed.length ? wentOn(followed[0]) : [sourceWords(source)[1]];
  const sum = events.reduce((all, { difference }) => all + difference, 0);
  if (sum > 0) return ["Because of ", ...listed(most(events))];
  const [lowest] = events.filter(({ difference }) => difference < 0);
  const rest = many > events.length ? ": other events and what the model gives anyone weigh more" : ": what the model gives anyone weighs more";
  return ["In spite of ", title(lowest), rest];
}

/** Those that raised a score, the strongest first, as many as make up most of what moved it. */
function most(events) {
  const moved = events.reduce((all, { difference }) => all + Math.abs(difference), 0);
  const named = [];
  let sum = 0;
  for (const event of events.filter(({ difference }) => difference > 0)) {
    if (sum > moved / 2) break;
    named.push(event);
    sum += event.difference;
  }
  return named;
}

const listed = (events) => events.flatMap((event, place) => [...(place ? [place === events.length - 1 ? " and " : ", "] : []), title(event)]);

/** What others did, where that is no accident and `shortReason` does not say it: parts as there, or none. */
export function evidence(source, { events, followed }) {
  const often = followed.filter(({ times, of }) => times >= OFTEN.times && times >= OFTEN.share * of);
  const best = often.sort((one, other) => other.times / other.of - one.times / one.of)[0];
  return best && (source === "pin" || events.length) ? wentOn(best) : [];
}

const wentOn = ({ times, of, ...from }) => [`${times.toLocaleString("en")} of ${of.toLocaleString("en")} went on here from `, title(from)];

const title = (item) => ({ title: called(item) });
