// Elements. All text becomes text nodes, never markup, whatever it holds.

const LONGEST = 160; // characters of a name in a list; the rest is shown on demand

/**
 * An element. A property that the element has is set (`onclick`, `hidden`, `value`), else an attribute (`class`,
 * `aria-label`); undefined and null are left out. Children are nodes or text; null and false are left out.
 */
export function element(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

const SVG = "http://www.w3.org/2000/svg";

/** An element of a drawing: all properties are attributes. */
export function drawn(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) if (value != null) made.setAttribute(key, value);
  made.append(...flat(children));
  return made;
}

function fill(made, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (value == null) continue;
    if (key in made && !key.includes("-")) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...flat(children));
  return made;
}

const flat = (children) => children.flat(Infinity).filter((child) => child != null && child !== false);

/** Text that may run from right to left, or be very long: a title, an id. Cut, unless `whole`. */
export function name(text, { whole = false } = {}) {
  return element("bdi", { class: "name" }, whole ? String(text) : shortened(text));
}

/** A text of a length that a list can bear; whole characters stay whole. */
export function shortened(text, longest = LONGEST) {
  const given = String(text);
  if (given.length <= longest) return given;
  const letters = [...given.slice(0, 2 * longest)];
  return letters.length <= longest ? given : `${letters.slice(0, longest - 1).join("")}…`;
}

/** An error in place, in words, with what to do about it. */
export function trouble(message, retry) {
  const again = retry && element("button", { type: "button", onclick: retry }, "Try again");
  return element("div", { class: "trouble", role: "alert" }, element("p", {}, message), again);
}

/** Tell a screen reader, shortly. */
export function say(text) {
  document.getElementById("said").textContent = text;
}

/** Whether a mouse points: not a finger that scrolls, and not what moves under a mouse at rest. */
export const pointing = ({ pointerType: kind, movementX: x, movementY: y }) => kind === "mouse" && Boolean(x || y);

let numbered = 0;

/** An id that no other element has. */
export const fresh = (prefix) => `${prefix}-${++numbered}`;
