// A model's card as elements: headings, paragraphs, lists, tables, code. All of it is text, whatever it holds.

import { element } from "./dom.js";

const LARGEST = 2; // a heading of the card is never above the view's own

/** The elements of a text in a small part of Markdown. Pictures are named: nothing is loaded. */
export function markdown(text) {
  const lines = text.replaceAll("\r", "").split("\n");
  const found = [];
  for (let at = 0; at < lines.length; ) {
    const kind = KINDS.find((one) => one.begins(lines[at], lines[at + 1] ?? ""));
    let end = at + 1;
    if (kind.more) while (end < lines.length && kind.more(lines[end])) end++;
    const made = kind.make(lines.slice(at, end));
    if (made) found.push(made);
    at = end;
  }
  return found;
}

const PICTURE = /^!\[([^\]]*)\]\(([^)]*)\)\s*$/;
const cells = (row) => row.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
const special = (line) => KINDS.slice(0, -1).some((kind) => kind.begins(line, ""));

const KINDS = [
  { begins: (line) => !line.trim(), make: () => null },
  {
    begins: (line) => PICTURE.test(line),
    make: ([line]) => element("p", { class: "quiet" }, `${PICTURE.exec(line)[1]}: a picture in the folder of the model, ${PICTURE.exec(line)[2]}.`),
  },
  {
    begins: (line) => /^#{1,6} /.test(line),
    make: ([line]) => {
      const [, marks, words] = /^(#+) +(.*)$/.exec(line);
      return element(`h${Math.min(6, marks.length + LARGEST)}`, {}, inline(words));
    },
  },
  {
    begins: (line) => /^(    |\t)/.test(line),
    more: (line) => /^(    |\t)/.test(line) || !line.trim(),
    make: (lines) => element("pre", { tabIndex: 0 }, element("code", {}, lines.map((line) => line.replace(/^(    |\t)/, "")).join("\n").trimEnd())),
  },
  {
    begins: (line) => /^[-*] /.test(line),
    more: (line) => /^([-*] |  +\S)/.test(line),
    make: (lines) => element("ul", { class: "bullets" }, joined(lines).map((line) => element("li", {}, inline(line)))),
  },
  {
    begins: (line) => line.trim().startsWith("|"),
    more: (line) => line.trim().startsWith("|"),
    make: tableOf,
  },
  {
    begins: () => true,
    more: (line) => !special(line),
    make: (lines) => element("p", {}, inline(lines.join(" "))),
  },
];

function joined(lines) {
  const found = [];
  for (const line of lines) {
    if (/^[-*] /.test(line)) found.push(line.slice(2));
    else found[found.length - 1] += ` ${line.trim()}`;
  }
  return found;
}

function tableOf(lines) {
  const rule = (line) => cells(line).every((cell) => /^:?-+:?$/.test(cell));
  const [first, ...rest] = lines.filter((line) => !rule(line)).map(cells);
  if (!first) return null;
  const row = (values) => element("tr", {}, values.map((value, place) => (place ? element("td", {}, inline(value)) : element("th", { scope: "row" }, inline(value)))));
  const head = element("tr", {}, first.map((value) => (value ? element("th", { scope: "col" }, inline(value)) : element("td", {}))));
  const table = element("table", { class: "table" }, element("thead", {}, head), element("tbody", {}, rest.map(row)));
  return element("div", { class: "wide", tabIndex: 0, role: "region", ariaLabel: `Table of the card: ${first.filter(Boolean).slice(0, 3).join(", ")}` }, table);
}

/** `code`, **strong**, *emphasis*; a link is its words and its address, as text. */
export function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*]+\*|\[[^\]]+\]\([^)]+\))/).map((part) => {
    if (/^`.+`$/.test(part)) return element("code", {}, part.slice(1, -1));
    if (/^\*\*.+\*\*$/.test(part)) return element("strong", {}, part.slice(2, -2));
    if (/^\*.+\*$/.test(part)) return element("em", {}, part.slice(1, -1));
    const link = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(part);
    return link ? `${link[1]} (${link[2]})` : part;
  });
}
