// Which model answers: told to all views when another one takes over.

const EVERY = 10_000; // milliseconds between looks, while the page is seen
const CHANGED = "segue-model";
let version = null;

/** An answer came of a model of this version. */
export function answeredBy(now) {
  if (version === now) return;
  const before = version;
  version = now;
  if (before !== null) dispatchEvent(new CustomEvent(CHANGED, { detail: now }));
}

/** @param changed told once for each model that takes over while the page is open. */
export const onNewModel = (changed) => addEventListener(CHANGED, () => changed());

/** Look now and then. */
export function watchModel(api) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      answeredBy((await api.get("/health/ready")).version);
    } catch {
      // whoever asks for something says so
    }
  }, EVERY);
}
