// A picture's plain borders: the bars of a letterbox, the margins of a screenshot, a frame of any one colour.

import { roundEven } from "../picture/pixels.js";
import { table } from "../table.js";

const { SAMPLES, EVEN, UNEVEN, OUTLIERS, EDGE, RINGS, SHARP, PLAIN, ROUNDS } = table.border;

/**
 * Lines of a part of a picture, counted from one of its sides inwards.
 * @typedef {{count: number, length: number, at: (line: number, place: number) => number}} Lines `at`: of a pixel, where
 *   its three bytes begin
 */

/** Where a picture lies inside its plain borders: left, top, right, bottom; all of it without any. */
export function content(picture) {
  const { data, width, height } = picture;
  let frame = [0, 0, width, height];
  const around = [0, 1, 2, 3].every((side) => isEven(data, linesFrom(picture, frame, side), 0));
  for (let round = 0; round < ROUNDS; round++) {
    const before = frame.join();
    for (let side = 0; side < 4; side++) {
      const depth = depthOf(data, linesFrom(picture, frame, side), around && round === 0);
      frame = frame.map((edge, n) => (n !== side ? edge : side < 2 ? edge + depth : edge - depth));
    }
    if (frame.join() === before) break;
  }
  return frame;
}

/** @returns {Lines} from the left, top, right or bottom side of a frame */
function linesFrom({ width }, [left, top, right, bottom], side) {
  const upright = side % 2 === 0;
  const [count, length] = upright ? [right - left, bottom - top] : [bottom - top, right - left];
  const at = [
    (line, place) => ((top + place) * width + left + line) * 3,
    (line, place) => ((top + line) * width + left + place) * 3,
    (line, place) => ((top + place) * width + right - 1 - line) * 3,
    (line, place) => ((bottom - 1 - line) * width + left + place) * 3,
  ][side];
  return { count, length, at };
}

/** Every so many-th place of a line. */
function sampled(length) {
  const step = Math.max(1, Math.floor(length / SAMPLES));
  return Array.from({ length: Math.ceil(length / step) }, (_, n) => n * step);
}

function median(values) {
  const sorted = values.sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const colourOf = (data, { at }, line, places) =>
  [0, 1, 2].map((channel) => median(places.map((place) => data[at(line, place) + channel])));

function difference(data, start, colour) {
  let most = 0;
  for (let channel = 0; channel < 3; channel++)
    most = Math.max(most, Math.abs(data[start + channel] - colour[channel]));
  return most;
}

const share = (values, test) => values.reduce((count, value) => count + test(value), 0) / values.length;

function isEven(data, lines, line) {
  const places = sampled(lines.length);
  const colour = colourOf(data, lines, line, places);
  return share(places, (place) => difference(data, lines.at(line, place), colour) > UNEVEN) <= OUTLIERS;
}

/** As numpy's quantile: linear between the two nearest. */
function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * q;
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

/** How many of the first lines are border; 0 where no edge ends it. Of a border that goes all `around` the picture the
 * edge need not be clean: there is no body that would reach the edge. */
function depthOf(data, lines, around) {
  if (!lines.count || !lines.length || !isEven(data, lines, 0)) return 0;
  const places = sampled(lines.length);
  const colour = colourOf(data, lines, 0, places).map(roundEven);
  const differs = Array.from({ length: lines.count }, (_, line) =>
    places.map((place) => difference(data, lines.at(line, place), colour)),
  );
  const uneven = (values, least) => share(values, (value) => value > least) > OUTLIERS;
  const begins = Math.max(
    0,
    differs.findIndex((line) => uneven(line, EVEN)),
  );
  const behind = differs.slice(begins);
  const within = places
    .map((_, n) => n)
    .filter((n) =>
      uneven(
        behind.map((line) => line[n]),
        EVEN,
      ),
    );
  if (!within.length) return 0; // beside it there may be border, too
  const near = behind.slice(0, RINGS).map((line) => line.slice(within[0], within[within.length - 1] + 1));
  const level = near.map((line) => quantile(line, 1 - EDGE));
  const rise = level.map((value, n) => value - (level[n - 1] ?? 0));
  const edge = rise.indexOf(Math.max(...rise));
  const height = Math.max(...level.slice(edge, edge + 4));
  const step = level[Math.min(edge + 1, level.length - 1)] - (edge > 0 ? level[edge - 1] : 0);
  const plain = begins > 0 && share(differs.slice(0, begins), (line) => !uneven(line, PLAIN)) > 0.5;
  const rings = near.slice(0, Math.max(0, edge - 1)).map((line) => share(line, (value) => value > height / 2));
  if (!around && rings.length && Math.max(...rings) > OUTLIERS) return 0;
  return height > EVEN && (step > SHARP * height || plain) ? begins + edge : 0;
}
