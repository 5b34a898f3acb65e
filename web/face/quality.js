// How far a face can be judged at all: warnings that go with a verdict; see deepfake_detect/face/quality.py.

import { shrink } from "../picture/area.js";
import { grey, part, roundEven } from "../picture/pixels.js";
import { table } from "../table.js";
import { reason, sentence } from "../verdict/reasons.js";

const { MIN_FACE, SHARPNESS_SIDE, MIN_SHARPNESS, DETAIL_SIDE, MIN_DETAIL } = table.quality;

export const longerSide = ([left, top, right, bottom]) => Math.max(right - left, bottom - top);

function variance(values) {
  let sum = 0;
  let squares = 0;
  for (let n = 0; n < values.length; n++) {
    sum += values[n];
    squares += values[n] * values[n];
  }
  return squares / values.length - (sum / values.length) ** 2;
}

/** How much fine detail a crop has, whatever its brightness and contrast: the variance of the Laplacian over that of
 * the grey levels. */
export function sharpness(crop) {
  const small = shrink(grey(crop), SHARPNESS_SIDE, SHARPNESS_SIDE, 1);
  const { data, width, height } = small;
  const inside = (place, size) => (place < 0 ? -place : place >= size ? 2 * size - 2 - place : place);
  const laplacian = Float64Array.from(data, (value, n) => {
    const [x, y] = [n % width, Math.floor(n / width)];
    const at = (u, v) => data[inside(v, height) * width + inside(u, width)];
    return at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4 * value;
  });
  return variance(laplacian) / (variance(data) + 1);
}

/** How much of a face is lost when it is halved and doubled: near 0 where its pixels were made up by enlarging. */
export function detail(picture, [left, top, right, bottom]) {
  const [beside, above] = [right - left, bottom - top].map((side) => Math.floor(Math.max(0, side - DETAIL_SIDE) / 2));
  const face = grey(part(picture, left + beside, top + above, right - beside, bottom - above));
  const [width, height] = [face.width, face.height].map((side) => Math.max(1, roundEven(side / 2)));
  const half = meanOf(face, width, height);
  const back = doubled(half, width, height, face.width, face.height);
  return variance(back.map((value, n) => face.data[n] - value)) / (variance(face.data) + 1);
}

/** A smaller copy of grey levels, not rounded to whole ones: each the mean of the area that it stands for. */
function meanOf({ data, width, height }, w, h) {
  const along = (values, lines, from, to, at) => {
    const result = new Float64Array(lines * to);
    for (let line = 0; line < lines; line++)
      for (let target = 0; target < to; target++) {
        const [start, end] = [(target * from) / to, ((target + 1) * from) / to];
        let sum = 0;
        for (let n = Math.floor(start); n < Math.min(Math.ceil(end), from); n++)
          sum += values[at(line, n)] * (Math.min(end, n + 1) - Math.max(start, n));
        result[line * to + target] = sum / (end - start);
      }
    return result;
  };
  const narrow = along(data, height, width, w, (line, n) => line * width + n);
  const turned = along(narrow, w, height, h, (line, n) => n * w + line); // column by column
  return Float64Array.from(turned, (_, n) => turned[(n % w) * h + Math.floor(n / w)]);
}

/** A larger copy by OpenCV's cubic filter, whose edge pixels are repeated. */
function doubled(data, width, height, w, h) {
  const weights = (x) => {
    const a = -0.75;
    const near = (d) => ((a + 2) * d - (a + 3)) * d * d + 1;
    const far = (d) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    return [far(x + 1), near(x), near(1 - x), far(2 - x)];
  };
  const taps = (from, to) =>
    Array.from({ length: to }, (_, target) => {
      const place = ((target + 0.5) * from) / to - 0.5;
      const first = Math.floor(place);
      const places = [-1, 0, 1, 2].map((n) => Math.min(Math.max(first + n, 0), from - 1));
      return [places, weights(place - first)];
    });
  const columns = taps(width, w);
  const wide = new Float64Array(w * height);
  for (let y = 0; y < height; y++)
    columns.forEach(([places, share], x) => {
      for (let n = 0; n < 4; n++) wide[y * w + x] += data[y * width + places[n]] * share[n];
    });
  const result = new Float64Array(w * h);
  taps(height, h).forEach(([places, share], y) => {
    for (let x = 0; x < w; x++) for (let n = 0; n < 4; n++) result[y * w + x] += wide[places[n] * w + x] * share[n];
  });
  return result;
}

/**
 * Warnings of one face: too small, blurred, enlarged.
 * @param {import("../picture/pixels.js").Picture} picture in which the face is
 * @param {number} downscale pixels of the whole for one of these
 * @param {number[]} box in pixels of the whole
 * @param {import("../picture/pixels.js").Picture} crop
 */
export function faceWarnings(picture, downscale, box, crop) {
  const warnings = [];
  const side = longerSide(box);
  if (side < MIN_FACE) warnings.push(reason("face_too_small", sentence("TOO_SMALL", side, MIN_FACE)));
  const small = box.map((edge, n) => (n < 2 ? Math.floor(edge / downscale) : Math.ceil(edge / downscale)));
  if (sharpness(crop) < MIN_SHARPNESS) warnings.push(reason("blurred", sentence("BLURRED")));
  else if (side >= MIN_FACE && detail(picture, small) < MIN_DETAIL)
    warnings.push(reason("enlarged", sentence("ENLARGED")));
  return warnings;
}

/** The warnings of a picture's faces: one for all small faces. */
export function joined(boxes, warnings) {
  const sides = boxes
    .map(longerSide)
    .filter((side) => side < MIN_FACE)
    .sort((a, b) => a - b);
  const every = warnings.flat();
  if (sides.length < 2) return every;
  const [least, most] = [sides[0], sides[sides.length - 1]];
  const span = least < most ? `${least} to ${most}` : `${least}`;
  const many = reason("face_too_small", sentence("MANY_TOO_SMALL", sides.length, MIN_FACE, span));
  return every.map((warning) => (warning.code === many.code ? many : warning));
}
