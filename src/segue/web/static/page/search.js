// A field that offers what fits while one types: the combobox of WAI-ARIA, with a list.

import { dropped, latest } from "./api.js";
import { element, fresh } from "./dom.js";

const QUIET = 60; // milliseconds without a key before it looks

/**
 * @param label of the field.
 * @param placeholder in it.
 * @param longest text that can be looked for, in characters.
 * @param find `(text, signal)` to a promise of options.
 * @param show `(option, options)` to the nodes of its row.
 * @param choose told of the option that was taken.
 * @param empty what is said where nothing fits, by the text.
 * @param beside a node beside the label, if any.
 */
export function combobox({ label, placeholder, longest, find, show, choose, empty, beside }) {
  const id = fresh("box"), list = fresh("list"), looking = latest();
  let options = [], active = -1, timer = null;
  let of = null, sought = null; // the texts that the options are of, and that is being looked for
  let entered = false; // Enter came before the options of what is typed

  const input = element("input", {
    id, type: "text", role: "combobox", placeholder, maxLength: longest, autocomplete: "off", spellcheck: false, "aria-expanded": "false",
    "aria-controls": list, "aria-autocomplete": "list",
    oninput: () => { entered = false; later(QUIET); }, onfocus: () => later(0), onclick: () => later(0), onblur: close, onkeydown: key,
  });
  const rows = element("ul", { id: list, role: "listbox", "aria-label": label, class: "options", hidden: true, tabIndex: -1 }); // else Tab leads into it where it scrolls
  const said = element("p", { class: "options said", role: "status", hidden: true });

  function later(milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(look, milliseconds);
  }

  async function look() {
    const signal = looking.begin(), text = typed();
    sought = text;
    try {
      const found = await find(text, signal);
      if (document.activeElement === input) open(found, text);
    } catch (error) {
      if (!dropped(error)) { open([], null); tell(error.message); }
    }
  }

  const typed = () => input.value.trim();

  function open(found, text) {
    options = found;
    of = text;
    sought = null;
    rows.replaceChildren(...options.map((option, place) => element("li", {
      id: `${list}-${place}`, role: "option", "aria-selected": "false",
      onpointerdown: (event) => event.preventDefault(), // the field keeps the focus
      onclick: () => take(place),
    }, show(option, options))));
    rows.hidden = !options.length;
    input.setAttribute("aria-expanded", String(!rows.hidden));
    tell(options.length ? "" : empty(text));
    activate(options.length && text ? 0 : -1);
    if (entered && options.length) take(0);
    entered = false;
  }

  function tell(text) {
    said.textContent = text;
    said.hidden = !text;
  }

  function activate(place) {
    rows.children[active]?.setAttribute("aria-selected", "false");
    active = place;
    const row = rows.children[place];
    row?.setAttribute("aria-selected", "true");
    row?.scrollIntoView({ block: "nearest" });
    if (row) input.setAttribute("aria-activedescendant", row.id);
    else input.removeAttribute("aria-activedescendant");
  }

  function close() {
    clearTimeout(timer);
    looking.stop();
    of = sought = null;
    entered = false;
    rows.hidden = true;
    tell("");
    activate(-1);
    input.setAttribute("aria-expanded", "false");
  }

  function take(place) {
    const option = options[place];
    input.value = "";
    close();
    choose(option);
  }

  /** Take an option of what is typed, which may be on its way still. */
  function enter() {
    if (of === typed()) {
      if (options.length) take(Math.max(active, 0));
      return;
    }
    entered = true;
    if (sought !== typed()) later(0);
  }

  function key(event) {
    const { length } = options, shown = !rows.hidden;
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (!shown) later(0);
      else activate(active < 0 && step < 0 ? length - 1 : (active + step + length) % length);
    } else if (event.key === "Enter" && (shown || typed())) {
      event.preventDefault();
      enter();
    } else if (event.key === "Escape") {
      if (!shown && said.hidden) input.value = "";
      close();
    }
  }

  return element("div", { class: "field combobox" }, element("div", { class: "named" }, element("label", { htmlFor: id }, label), beside), input, rows, said);
}
