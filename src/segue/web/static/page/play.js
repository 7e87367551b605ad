// The view Play.

import { element } from "./dom.js";

/** Draws the view into its section, once. */
export function play(root, api) {
  root.append(element("h2", {}, "What comes next?"));
  return { shown() {}, hidden() {} };
}
