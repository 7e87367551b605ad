// Where the ticks of an axis are, and from a value to its place.

import { number } from "./words.js";

/** About `count` round numbers from `low` to `high`: multiples of 1, 2 or 5 times a power of ten. */
export function ticks(low, high, count = 5, { whole = false } = {}) {
  const apart = stepOf((high - low) / count, whole);
  const found = [];
  for (let place = Math.ceil(low / apart - 1e-9); place * apart <= high + apart * 1e-9; place++) {
    found.push(Number((place * apart).toPrecision(12)));
  }
  return found;
}

function stepOf(rough, whole) {
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.75);
  return whole ? Math.max(1, Math.round(step)) : step;
}

/** Powers of ten between two positive numbers; with 2 and 5 times them where those are few. */
export function powers(low, high) {
  const tens = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) tens.push(power);
  for (const factors of [[1], [1, 2, 5]]) {
    const found = tens.flatMap((power) => factors.map((factor) => Number((factor * 10 ** power).toPrecision(3))));
    const inside = found.filter((value) => value >= low * 0.999 && value <= high * 1.001);
    if (inside.length >= 3) return inside;
  }
  return [low, high];
}

/**
 * An axis: `place(value)` in pixels from `from` to `to`, `ticks`, `format`.
 *
 * `axis` may say `low` and `high` (else what `values` reach over, with a little room), `zero` (0 is on it), `atLeast`
 * (it goes up to), `log`, `whole` (steps: epochs, counts), `ticks` (a function of how many there is room for), `format`.
 */
export function axisOf(axis, values, from, to, count) {
  let [low, high] = reach(axis, values);
  const log = axis.log && low > 0;
  const scale = log ? Math.log10 : (value) => value;
  const room = axis.low == null ? (scale(high) - scale(low)) * 0.04 : 0;
  let [first, last] = [scale(low) - (axis.zero ? 0 : room), scale(high) + (axis.high == null ? room : 0)];
  if (first === last) [first, last] = [first - 0.5, last + 0.5];
  const marks = axis.ticks ? axis.ticks(count) : log ? powers(10 ** first, 10 ** last) : ticks(first, last, count, axis);
  return {
    place: (value) => from + ((scale(value) - first) / (last - first)) * (to - from),
    ticks: marks,
    format: axis.format ?? ((value) => number(value)),
  };
}

function reach(axis, values) {
  const known = values.filter(Number.isFinite);
  const low = axis.low ?? Math.min(axis.zero ? 0 : Infinity, ...known);
  const high = axis.high ?? Math.max(axis.atLeast ?? -Infinity, ...known);
  return Number.isFinite(low) && Number.isFinite(high) ? [low, high] : [0, 1];
}
