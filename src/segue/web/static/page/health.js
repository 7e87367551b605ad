// The view Health: what the server does at the moment, from its own counts, live.

import { dropped } from "./api.js";
import { element, say, trouble } from "./dom.js";
import { healthCharts } from "./health_charts.js";
import { events, lists, routes, states } from "./health_tables.js";
import { clockTime, perSecond, share, spent } from "./health_words.js";
import { total } from "./rates.js";
import { samples, single } from "./metrics_text.js";
import { EVERY, watch } from "./readings.js";

/** Draws the view into its section, once. */
export function health(root, api) {
  const notice = element("div", {});
  const serving = element("p", { class: "lead" }, "Asking the server …");
  const figures = figureRow();
  const charts = healthCharts();
  const tables = [routes(), events(), lists(), states()];
  let before = null;

  root.append(
    element("h2", {}, "Health"),
    serving,
    notice,
    figures.row,
    element("div", { class: "grid roomy" }, charts.cards),
    element("div", { class: "grid roomy" }, tables.map((one) => one.card)),
    element("p", { class: "quiet small" }, `Read from /metrics every ${EVERY} seconds while this view is open. Large figures are of the last 10 seconds. `
      + "Times are about: they are read off bounds between which requests are counted. Requests are those to /v1; the page's own are not among them, but for what is played with it."),
  );

  const watching = watch(() => api.text("/metrics"), (seen) => {
    if (dropped(seen.error)) return;
    const now = standing(seen);
    if (now !== before) {
      notice.replaceChildren(...noticeOf(seen, now, () => watching.start()));
      if (before !== null && WORDS[now]) say(WORDS[now]);
      before = now;
    }
    root.classList.toggle("stale", now === "lost");
    if (!seen.reading) return;
    serving.textContent = servingOf(seen);
    figures.update(seen.recent);
    charts.update(seen);
    for (const one of tables) one.update(seen);
  });

  const visible = () => (document.hidden || root.hidden ? watching.stop() : watching.start());
  return {
    shown() {
      document.addEventListener("visibilitychange", visible);
      visible();
    },
    hidden() {
      document.removeEventListener("visibilitychange", visible);
      watching.stop();
    },
  };
}

const WORDS = {
  lost: "The server cannot be reached.",
  well: "The server answers.",
  anew: "The server began anew.",
  refused: "A version of the model was refused.",
};

/** What a notice is about: it changes only when that does, and so does what a screen reader is told. */
function standing({ error, lost, restarts, reading }) {
  if (lost != null) return "lost";
  if (error) return `failed: ${error.message}`;
  if (samples(reading, "segue_model_refused").length) return "refused";
  return restarts ? "anew" : "well";
}

function noticeOf({ error, lost, reading, now: at }, now, again) {
  if (now === "lost") {
    const words = `The server is not reachable since ${clockTime(lost)}. Asking again every ${EVERY} seconds; what is below is from before.`;
    return [element("p", { class: "trouble" }, words)];
  }
  if (error) return [trouble(`The counts cannot be read: ${error.message}`, again)];
  if (now === "refused") {
    const [{ labels }] = samples(reading, "segue_model_refused");
    const words = `Version ${labels.version} of the model was to take over and is refused; the one before it goes on. The log of the server says why; publish another one.`;
    return [element("p", { class: "trouble" }, words)];
  }
  return now === "anew" ? [element("p", { class: "note" }, `The server began anew, seen at ${clockTime(at)}: its counts begin at 0.`)] : [];
}

function servingOf({ reading, lost }) {
  const model = samples(reading, "segue_model")[0]?.labels ?? {};
  const asked = samples(reading, "segue_requests_total").filter((one) => one.labels.route.startsWith("/v1/"));
  const all = asked.reduce((sum, one) => sum + one.value, 0);
  const stored = samples(reading, "segue_events_total").find((one) => one.labels.became === "stored")?.value ?? 0;
  return `${model.name}, version ${model.version}, ${lost == null ? "answers" : "does not answer"}. Since the server began: ${all.toLocaleString("en")} requests, `
    + `${stored.toLocaleString("en")} events stored, ${(single(reading, "segue_answers_total") ?? 0).toLocaleString("en")} lists given.`;
}

function figureRow() {
  const shown = {};
  const stat = (key, words) => {
    shown[key] = element("dd", {}, "–");
    return element("div", { class: "stat" }, element("dt", {}, words), shown[key]);
  };
  const row = element(
    "dl",
    { class: "figures" },
    stat("rate", "requests a second"),
    stat("p50", "half within about"),
    stat("p90", "90\u00a0% within about"),
    stat("p99", "99\u00a0% within about"),
    stat("errors", "errors"),
    stat("events", "events a second"),
  );
  return {
    row,
    update(recent) {
      const latency = recent?.latency;
      shown.rate.textContent = recent ? perSecond(recent.rate) : "–";
      for (const key of ["p50", "p90", "p99"]) shown[key].textContent = spent(latency?.[key]);
      shown.errors.textContent = recent ? share(recent.errors, recent.requests) : "–";
      shown.errors.className = recent?.errors ? "bad" : "";
      shown.events.textContent = recent ? perSecond(total(recent.events) / recent.seconds) : "–";
    },
  };
}
