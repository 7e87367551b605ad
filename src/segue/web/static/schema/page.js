// Draws the OpenAPI document of the server that it came from, and sends what its reader types. Asks no other host.

const key = document.getElementById("key");
const state = document.getElementById("state");

/** An element with properties and children; strings become text, never markup. */
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function headers(more = {}) {
  return key.value ? { ...more, Authorization: `Bearer ${key.value}` } : more;
}

const nameOf = (reference) => reference.split("/").pop();

/** What a schema says, as text and links to types. */
function shown(schema) {
  if (schema.$ref) return [element("a", { href: `#type-${nameOf(schema.$ref)}` }, nameOf(schema.$ref))];
  if (schema.anyOf) return schema.anyOf.flatMap((one, place) => (place ? [" or ", ...shown(one)] : shown(one)));
  if (schema.enum) return [`one of ${schema.enum.map((one) => JSON.stringify(one)).join(", ")}`];
  const bounds = [
    ["minimum", "from"], ["maximum", "to"], ["exclusiveMaximum", "below"],
    ["minLength", "characters from"], ["maxLength", "to"], ["minItems", "items from"], ["maxItems", "items to"],
  ].filter(([name]) => name in schema).map(([name, word]) => `${word} ${schema[name]}`);
  const said = [schema.type ?? "any", ...(bounds.length ? [` (${bounds.join(", ")})`] : [])];
  if (schema.items) said.push(" of ", ...shown(schema.items));
  return said;
}

/** An example of a schema: required fields, and those that have an example. */
function example(schema, types) {
  if (schema.$ref) return example(types[nameOf(schema.$ref)], types);
  if (schema.examples) return schema.examples[0];
  if (schema.anyOf) return example(schema.anyOf[0], types);
  if (schema.type === "array") return [example(schema.items ?? {}, types)];
  if (schema.type === "object") {
    const wanted = schema.required ?? [];
    return Object.fromEntries(wanted.map((name) => [name, example(schema.properties[name], types)]));
  }
  return { string: "", integer: schema.minimum ?? 0, number: 0, boolean: false }[schema.type] ?? null;
}

function table(caption, columns, rows) {
  const head = element("tr", {}, ...columns.map((column) => element("th", { scope: "col" }, column)));
  const body = rows.map(([first, ...rest]) =>
    element("tr", {}, element("th", { scope: "row" }, first), ...rest.map((cell) => element("td", {}, ...[cell].flat()))));
  return element("table", {}, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...body));
}

function field(id, label, control, properties) {
  return [element("label", { htmlFor: id }, label), element(control, { id, spellcheck: false, ...properties })];
}

/** The form of an operation, and what came back. */
function trial(method, path, operation, types) {
  const output = element("pre", { tabIndex: 0, hidden: true });
  output.setAttribute("role", "status");
  output.setAttribute("aria-label", `Answer of ${method} ${path}`);
  const form = element("form");
  const id = (name) => `${operation.operationId}-${name}`;
  const parameters = operation.parameters ?? [];
  for (const { name, required } of parameters) {
    form.append(...field(id(name), name, "input", { required, autocomplete: "off" }));
  }
  const media = operation.requestBody?.content["application/json"];
  if (media) {
    const value = JSON.stringify(media.example ?? example(media.schema, types), null, 2);
    form.append(...field(id("body"), "Body, as JSON", "textarea", { rows: 8, value }));
  }
  form.append(element("button", {}, `Send ${method}`));
  form.addEventListener("submit", async (submitted) => {
    submitted.preventDefault();
    output.hidden = false;
    output.textContent = "…";
    const written = (name) => document.getElementById(id(name)).value;
    const asked = parameters.filter((one) => one.in === "query" && written(one.name)).map((one) => [one.name, written(one.name)]);
    const named = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(written(name)));
    const url = asked.length ? `${named}?${new URLSearchParams(asked)}` : named;
    const body = media ? written("body") : undefined;
    try {
      const answer = await fetch(url, { method, body, headers: headers(media ? { "Content-Type": "application/json" } : {}) });
      const text = await answer.text();
      let pretty = text;
      try { pretty = JSON.stringify(JSON.parse(text), null, 2); } catch { /* shown as it came */ }
      output.textContent = `${answer.status} ${answer.statusText}\n\n${pretty}`;
    } catch (error) {
      output.textContent = `The server did not answer: ${error.message}`;
    }
  });
  return [form, output];
}

function answers(operation) {
  const rows = Object.entries(operation.responses).sort().map(([status, answer]) => {
    const schema = Object.values(answer.content ?? {})[0]?.schema;
    return [status, answer.description, schema ? shown(schema) : ""];
  });
  return table("Answers", ["Status", "When", "Body"], rows);
}

function route(method, path, operation, types) {
  const title = element("h2", { id: operation.operationId }, element("code", {}, `${method} ${path}`));
  const media = operation.requestBody?.content["application/json"];
  const takes = media ? [element("p", {}, "Takes ", ...shown(media.schema))] : [];
  return element("article", {}, title, element("p", {}, operation.summary), ...takes, answers(operation),
    element("h3", {}, "Try it"), ...trial(method, path, operation, types));
}

function type(name, schema) {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([field, one]) =>
    [field, shown(one), required.has(field) ? "yes" : "no", one.description ?? ""]);
  return element("article", {}, element("h3", { id: `type-${name}` }, name), element("p", {}, schema.description ?? ""),
    ...(rows.length ? [table(`Fields of ${name}`, ["Field", "Type", "Required", "Meaning"], rows)] : []));
}

async function draw() {
  const answer = await fetch("/schema/openapi.json", { headers: headers() });
  if (!answer.ok) {
    state.className = "bad";
    state.textContent = answer.status === 401
      ? "The server asks for a key: type one above." : `The description cannot be read: ${answer.status}`;
    return;
  }
  const described = await answer.json();
  const types = described.components.schemas;
  const routes = Object.entries(described.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => [method.toUpperCase(), path, operation]));
  document.getElementById("index").replaceChildren(...routes.map(([method, path, operation]) =>
    element("li", {}, element("a", { href: `#${operation.operationId}` }, `${method} ${path}`))));
  document.getElementById("routes").replaceChildren(...routes.map((one) => route(...one, types)));
  document.getElementById("types").replaceChildren(...Object.entries(types).map((one) => type(...one)));
  state.className = "";
  state.textContent = `${routes.length} routes, version ${described.info.version}`;
}

async function drawn() {
  try {
    await draw();
  } catch (error) {
    state.className = "bad";
    state.textContent = `The description cannot be drawn: ${error.message}`;
  }
}

document.getElementById("access").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  drawn();
});
drawn();
