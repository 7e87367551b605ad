// What `/metrics` says, from the text that Prometheus reads.

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** A reading: for each name its samples, {labels, value}. Lines that are none are passed over. */
export function parsed(text) {
  const found = new Map();
  for (const line of text.split("\n")) {
    const match = line.startsWith("#") ? null : LINE.exec(line);
    if (!match) continue;
    const [, name, labels = "", value] = match;
    if (!found.has(name)) found.set(name, []);
    found.get(name).push({ labels: labelsOf(labels), value: valueOf(value) });
  }
  return found;
}

function labelsOf(text) {
  const found = Object.create(null); // names of labels are any
  for (const [, name, value] of text.matchAll(LABEL)) {
    found[name] = value.replace(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter));
  }
  return found;
}

const valueOf = (text) => Number(text.replace("Inf", "Infinity"));

/** The samples of a name; none where it is not there. */
export const samples = (reading, name) => reading.get(name) ?? [];

/** The value of a sample without labels, or of the first one; null where there is none. */
export const single = (reading, name) => samples(reading, name)[0]?.value ?? null;

/** Sums of samples by a label: a Map. `keep(labels)` says which count. */
export function summed(reading, name, label, keep = () => true) {
  const found = new Map();
  for (const one of samples(reading, name)) {
    if (keep(one.labels)) found.set(one.labels[label], (found.get(one.labels[label]) ?? 0) + one.value);
  }
  return found;
}
