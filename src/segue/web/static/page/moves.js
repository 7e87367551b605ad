// What differs between two lists. Pure.

/**
 * How each item of a list stands to the list before.
 *
 * @param before ids, best first; null: there was none.
 * @returns a Map from id to { kind: "first" | "new" | "up" | "down" | "same", by } where `by` is a number of places.
 */
export function moves(before, after) {
  const ranks = new Map((before ?? []).map((id, place) => [id, place]));
  return new Map(after.map((id, place) => {
    if (before === null) return [id, { kind: "first", by: 0 }];
    if (!ranks.has(id)) return [id, { kind: "new", by: 0 }];
    const by = ranks.get(id) - place;
    return [id, { kind: by > 0 ? "up" : by < 0 ? "down" : "same", by: Math.abs(by) }];
  }));
}

/** A move in words, for those who cannot see the mark. */
export function moveWords({ kind, by }) {
  return { new: "new in this list", up: `up ${by}`, down: `down ${by}`, same: "where it was", first: "" }[kind];
}

/** What changed, in a few words. */
export function changeWords(before, after) {
  if (before === null) return "";
  const kinds = [...moves(before, after).values()].map(({ kind }) => kind);
  const count = (wanted) => kinds.filter((kind) => kind === wanted).length;
  if (kinds.every((kind) => kind === "same") && before.length === after.length) return "same as before";
  const parts = [["new", "new"], ["up", "moved up"], ["down", "moved down"]].map(([kind, words]) => [count(kind), words]);
  return parts.filter(([many]) => many).map(([many, words]) => `${many} ${words}`).join(", ") || "shorter than before";
}

/** How far each score reaches between the least of its source (a stub) and the best: from 0.06 to 1. */
export function bars(items) {
  const least = new Map(), best = new Map();
  for (const { source, score } of items) {
    least.set(source, Math.min(least.get(source) ?? score, score));
    best.set(source, Math.max(best.get(source) ?? score, score));
  }
  return items.map(({ source, score }) => {
    const spread = best.get(source) - least.get(source);
    return spread > 0 && Number.isFinite(spread) ? 0.06 + (0.94 * (score - least.get(source))) / spread : 1;
  });
}
