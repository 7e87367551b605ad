// The shell: which view is open, light or dark, and the key.

import { makeApi, sendable } from "./api.js";
import { element, say, trouble } from "./dom.js";
import { answeredBy, onNewModel, watchModel } from "./serving.js";

const VIEWS = { play: "Play", health: "Health", model: "Model" };
const at = (id) => document.getElementById(id);

// --- the key: kept in this tab alone

const KEY = "segue-key";
let key = kept(() => sessionStorage.getItem(KEY)) ?? "", asking = null;
if (!sendable(key)) key = "";

/** What a browser keeps for us, or not: some forbid it. */
function kept(act) {
  try {
    return act();
  } catch {
    return null;
  }
}

const keys = {
  current: () => key,
  ask(message) {
    asking ??= askForKey(message).finally(() => (asking = null));
    return asking;
  },
};

function askForKey(message) {
  const dialog = at("asking-key");
  at("key-trouble").textContent = message;
  at("key").value = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    at("key-form").onsubmit = (event) => {
      event.preventDefault();
      const given = at("key").value.trim();
      if (!sendable(given)) {
        at("key-trouble").textContent = "A key has no such letters: those that segue makes are of a-z, A-Z, 0-9, - and _.";
        return;
      }
      key = given;
      kept(() => sessionStorage.setItem(KEY, key));
      dialog.close("given");
    };
    at("key-cancel").onclick = () => dialog.close("cancelled");
    dialog.onclose = () => resolve(dialog.returnValue === "given" ? key : null);
    dialog.returnValue = "";
  });
}

const api = makeApi(keys);

// --- views

const opened = {}; // promises of views
let showing = null;

const viewOf = (hash) => hash.slice(1).split("?")[0];

async function show() {
  const named = viewOf(location.hash), name = Object.hasOwn(VIEWS, named) ? named : "play";
  if (name === showing) return;
  opened[showing]?.then((view) => view?.hidden?.());
  showing = name;
  document.title = `${VIEWS[name]} · segue`;
  for (const one of Object.keys(VIEWS)) at(one).hidden = one !== name;
  for (const link of document.querySelectorAll(".bar nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  nameModel(); // another one may serve by now
  opened[name] ??= open(name);
  const view = await opened[name];
  if (showing === name) view?.shown?.();
}

async function open(name) {
  const root = at(name);
  try {
    const module = await import(`./${name}.js`);
    return module[name](root, api) ?? {};
  } catch (error) {
    console.error(error);
    const again = () => { root.replaceChildren(); delete opened[name]; showing = null; show(); };
    root.replaceChildren(trouble(`This view cannot be shown: ${error.message}`, again));
    return null;
  }
}

// --- light and dark

const THEME = "segue-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function dark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : system.matches;
}

function offerTheme() {
  at("theme").textContent = dark() ? "Light" : "Dark";
  at("theme").setAttribute("aria-label", dark() ? "Light colours" : "Dark colours");
}

const chosen = kept(() => localStorage.getItem(THEME));
if (chosen) document.documentElement.dataset.theme = chosen;
system.addEventListener("change", offerTheme);
at("theme").onclick = () => {
  document.documentElement.dataset.theme = dark() ? "light" : "dark";
  kept(() => localStorage.setItem(THEME, document.documentElement.dataset.theme));
  offerTheme();
};
offerTheme();

// --- the model that answers, beside the tabs

let since = "";

async function nameModel() {
  try {
    const ready = await api.get("/health/ready");
    at("serving").replaceChildren(ready.name, element("span", { class: "figure" }, ` · ${ready.n_items.toLocaleString("en")} items${since}`));
    answeredBy(ready.version);
  } catch {
    at("serving").textContent = "";
  }
}

onNewModel(() => {
  since = ` · a new model answers since ${new Date().toLocaleTimeString("en-GB", { timeStyle: "short" })}`;
  nameModel();
  say("A new model answers.");
});
watchModel(api);

document.querySelector(".skip").onclick = (event) => {
  event.preventDefault(); // the address holds the view and its state
  at("view").focus();
};
// a tab leads back to what it showed
const left = new Map();
for (const link of document.querySelectorAll(".bar nav a")) {
  link.onclick = (event) => {
    const name = link.hash.slice(1);
    if (event.ctrlKey || event.metaKey || event.shiftKey || (name !== showing && !left.has(name))) return;
    event.preventDefault();
    if (name !== showing) location.hash = left.get(name);
  };
}
addEventListener("hashchange", (event) => {
  const { hash } = new URL(event.oldURL);
  left.set(viewOf(hash), hash);
  show();
});
show();
