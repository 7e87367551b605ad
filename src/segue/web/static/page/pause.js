// The time since the last event: the list as it would be after a pause.

import { element, fresh } from "./dom.js";
import { TODAY, lastTime, pauseOf } from "./request.js";
import { duration } from "./words.js";

const STOPS = [0, 60, 600, 1800, 3600, 21_600, 86_400, 259_200, 604_800, 2_629_800, 7_889_400, 31_557_600];

/** Whether a pause begins a session for the model; `gap` null: its sessions never end. */
export const opensSession = (seconds, gap) => gap != null && seconds > gap;

/** What a pause means, in a sentence. Pure. */
export function pauseWords(seconds, choices) {
  if (!choices) return "";
  const { gap, time_aware: aware } = choices;
  if (opensSession(seconds, gap)) return `A new session: the model's sessions end after a pause of ${duration(gap)}.`;
  if (gap == null && !aware) return "This model knows no sessions and no pauses: the list stays the same.";
  const sees = aware ? "The model sees how long the pause was." : "The model does not look at how long the pause was.";
  return gap == null ? `Sessions never end in this model. ${sees}` : `Still the same session: it ends after ${duration(gap)}. ${sees}`;
}

/** The words for a pause by itself. */
export const pauseName = (pause, seconds) => (pause === 0 ? "right away" : `${duration(seconds)} later`);

/** @param changed told of the pause in seconds, or TODAY. */
export function pauseSlider(changed) {
  const id = fresh("pause"), words = fresh("words");
  const value = element("output", { htmlFor: id, class: "figure" });
  const meaning = element("p", { id: words, class: "pause-words small quiet" });
  const slider = element("input", { id, type: "range", min: 0, step: 1, "aria-describedby": words });
  let stops = STOPS;
  slider.oninput = () => changed(stops[slider.valueAsNumber]);

  return {
    node: element("div", { class: "field pause-field" },
      element("div", { class: "named" }, element("label", { htmlFor: id }, "Time since the last event"), value), slider),
    meaning,

    draw(asked, events, choices) {
      const last = lastTime(events), pause = pauseOf(asked);
      const present = last === null ? 0 : Math.max(0, Date.now() / 1000 - last);
      stops = asked.user !== null && last !== null ? [...STOPS, TODAY] : STOPS;
      if (!stops.includes(pause)) stops = [...stops.filter((stop) => stop !== TODAY), pause].sort((a, b) => a - b);
      const seconds = pause === TODAY ? present : pause;
      slider.max = stops.length - 1;
      slider.value = stops.indexOf(pause);
      slider.disabled = last === null;
      const text = pause === TODAY ? `now, ${duration(seconds)} later` : pauseName(pause, seconds);
      value.textContent = text;
      slider.setAttribute("aria-valuetext", text);
      meaning.textContent = last === null ? "There is no event yet." : pauseWords(seconds, choices);
      return { seconds, text };
    },
  };
}
