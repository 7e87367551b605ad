// Numbers, times and the server's words, as people say them. Pure: nothing here knows of the page.

const UNITS = [
  ["year", 31_557_600], ["month", 2_629_800], ["week", 604_800], ["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1],
];

/** What an item is called: its title, else its id. */
export const called = ({ title, item_id: id }) => (title?.trim() ? title : id);

/** What more than one of some items is called; their ids tell them apart. */
export function alike(items) {
  const once = new Set(), twice = new Set();
  for (const text of items.map(called)) (once.has(text) ? twice : once).add(text);
  return twice;
}

const NEAR = 0.1; // how far a rounded length may be off

/** A length of time in the largest unit that says it well: "2 days", "90 minutes", "28 years". */
export function duration(seconds) {
  const says = ([, size]) => seconds >= 0.995 * size && Math.abs(Math.round(seconds / size) * size - seconds) <= NEAR * seconds;
  const [unit, size] = UNITS.find(says) ?? ["second", 1];
  const many = Math.max(0, Math.round(seconds / size));
  return `${many.toLocaleString("en")} ${unit}${many === 1 ? "" : "s"}`;
}

/** The words for a key that may be any text: what every object has, as `constructor`, is none. */
export const wordOf = (words, key, otherwise = key) => (Object.hasOwn(words, key) ? words[key] : otherwise);

/** A number for people: digits that count, thousands parted, a true minus. */
export function number(value, digits = 3) {
  if (value == null || !Number.isFinite(value)) return "–";
  const rounding = Number.isInteger(value) ? {} : { maximumSignificantDigits: digits };
  return value.toLocaleString("en", rounding).replace("-", "−");
}

/** A part of a whole in percent. */
export const percent = (part, digits = 2) => `${number(100 * part, digits)}\u00a0%`;

/** The scores of a list: places after the point that stand below each other. */
export function score(value) {
  const size = Math.abs(value);
  const digits = size >= 1000 || Number.isInteger(value) ? 0 : size >= 100 ? 1 : size >= 0.1 || size === 0 ? 2 : 3;
  if (size && size < 0.0005) return value.toExponential(1).replaceAll("-", "−");
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
}

/** A difference of scores with its sign: "+0.42", "−0.13". */
export const signed = (value) => (value > 0 ? `+${score(value)}` : score(value));

/** One of two words by number: plural(1, "event") is "1 event". */
export const plural = (many, word, words = `${word}s`) => `${many.toLocaleString("en")} ${many === 1 ? word : words}`;

/** Where an item of a list comes from: in a few words, as a reason, and as a sentence. */
const SOURCES = {
  state: ["from this history", "No one event decided it", "The model chose it from this history."],
  anyone: ["popular", "Popular, whatever the history", "No event of the history moves any score of this list: it is popular, whatever the history."],
  unknown: ["what people begin with", "The model does not know these items", "The model does not know the items of this history: it says what people begin with."],
  initial_state: ["what people begin with", "People begin with it", "There is nothing to go by, or a new session begins: the model says what people begin with."],
  neighbours: ["what others did next", "Others went on here", "The model has nothing to say here: others went on to this from the last items."],
  trending: ["popular of late", "Popular of late", "There is nothing to go by yet: this has been popular of late."],
  newest: ["new in the catalog", "New in the catalog", "There is nothing to go by yet: this is among the newest items."],
  pin: ["placed by a rule", "Placed here by a rule", "A rule puts it here, whatever the model says."],
};

/** The words for a source, also for one that this page does not know. */
export const sourceWords = (source) => wordOf(SOURCES, source, [source, source, `It comes from “${source}”.`]);

/** Why a list has fewer items than were asked for, as `short` of an answer says it. */
export function shortWords({ wanted, given, because }) {
  const why = because.map(({ message }) => message.replaceAll("`", "")).join("; ");
  return `${plural(given, "item")} instead of ${wanted}${why && `: ${why}`}.`;
}

/** What others did, as a sentence in parts: [text, { title }, text ...]. */
export function followedWords({ times, of, ...from }) {
  return [`Of ${plural(of, "time")} that people went on from `, title(from), `, ${times.toLocaleString("en")} led here.`];
}

const title = (item) => ({ title: called(item) });
