// The view Health.

import { element } from "./dom.js";

/** Draws the view into its section, once. */
export function health(root, api) {
  root.append(element("h2", {}, "Health"));
  return { shown() {}, hidden() {} };
}
