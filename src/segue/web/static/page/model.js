// The view Model.

import { element } from "./dom.js";

/** Draws the view into its section, once. */
export function model(root, api) {
  root.append(element("h2", {}, "Model"));
  return { shown() {}, hidden() {} };
}
