// Pillow's Image.resize of 8-bit pictures, to the last bit (src/libImaging/Resample.c).

import { blank } from "./pixels.js";

const PRECISION_BITS = 22; // of Pillow's fixed-point weights: 32 bits without those of a pixel and two for the sum

const sinc = (x) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

function bicubic(x) {
  const a = -0.5;
  x = Math.abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/** Name -> half the width of the filter in pixels, and the filter. */
const FILTERS = {
  bilinear: [1, (x) => Math.max(0, 1 - Math.abs(x))],
  bicubic: [2, bicubic],
  lanczos: [3, (x) => (-3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0)],
};

/**
 * Weights of the source pixels for each target pixel along one side.
 * @param {number} size of the source, in pixels
 * @param {number} start of the part that is resized, in pixels, with fractions
 * @param {number} end of it
 * @param {number} to pixels of the target
 * @param {string} filter see FILTERS
 * @returns {{firsts: Int32Array, counts: Int32Array, weights: Int32Array, longest: number}}
 */
function kernels(size, start, end, to, filter) {
  const [width, shape] = FILTERS[filter];
  const scale = Math.fround(end - start) / to;
  const stretch = Math.max(scale, 1); // the filter is as wide as what it shrinks: antialiasing
  const support = width * stretch;
  const longest = Math.ceil(support) * 2 + 1;
  const firsts = new Int32Array(to);
  const counts = new Int32Array(to);
  const weights = new Int32Array(to * longest);
  for (let target = 0; target < to; target++) {
    const center = start + (target + 0.5) * scale;
    const first = Math.max(Math.trunc(center - support + 0.5), 0);
    const count = Math.min(Math.trunc(center + support + 0.5), size) - first;
    const raw = Array.from({ length: count }, (_, n) => shape((n + first - center + 0.5) * (1 / stretch)));
    const sum = raw.reduce((a, b) => a + b, 0);
    raw.forEach((value, n) => {
      const fixed = (sum ? value * (1 / sum) : value) * 2 ** PRECISION_BITS;
      weights[target * longest + n] = Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    });
    firsts[target] = first;
    counts[target] = count;
  }
  return { firsts, counts, weights, longest };
}

/** Rows, or columns, each resized by itself. */
function pass(picture, kernel, to, across) {
  const { data, width, height } = picture;
  const result = across ? blank(to, height) : blank(width, to);
  const [lines, line, step] = across ? [height, width * 3, 3] : [width, 3, width * 3];
  const [targetLine, targetStep] = across ? [to * 3, 3] : [3, width * 3];
  const half = 1 << (PRECISION_BITS - 1);
  for (let target = 0; target < to; target++) {
    const count = kernel.counts[target];
    const start = target * kernel.longest;
    for (let l = 0; l < lines; l++) {
      let place = l * line + kernel.firsts[target] * step;
      let [red, green, blue] = [half, half, half];
      for (let n = 0; n < count; n++, place += step) {
        const weight = kernel.weights[start + n];
        red += data[place] * weight;
        green += data[place + 1] * weight;
        blue += data[place + 2] * weight;
      }
      const goal = l * targetLine + target * targetStep;
      result.data[goal] = clip(red);
      result.data[goal + 1] = clip(green);
      result.data[goal + 2] = clip(blue);
    }
  }
  return result;
}

function clip(sum) {
  const value = sum >> PRECISION_BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/**
 * A picture, or a part of it, at another size.
 * @param {import("./pixels.js").Picture} picture
 * @param {number} width of the result
 * @param {number} height of the result
 * @param {"bilinear" | "bicubic" | "lanczos"} filter
 * @param {import("./pixels.js").Box} [box] the part, with fractions of pixels; by default all of it
 * @returns {import("./pixels.js").Picture}
 */
export function resize(picture, width, height, filter, box = [0, 0, picture.width, picture.height]) {
  const [left, top, right, bottom] = box.map(Math.fround); // Pillow takes 32-bit numbers
  const wholeWidth = left === 0 && right === picture.width;
  const wholeHeight = top === 0 && bottom === picture.height;
  const across = (source) =>
    width === source.width && wholeWidth
      ? source
      : pass(source, kernels(source.width, left, right, width, filter), width, true);
  const down = (source) =>
    height === source.height && wholeHeight
      ? source
      : pass(source, kernels(source.height, top, bottom, height, filter), height, false);
  // Each pass rounds to 8 bits, so their order counts; Pillow takes the other one for very tall pictures.
  const tall = picture.height > picture.width * 100 && height < picture.height;
  return tall ? across(down(picture)) : down(across(picture));
}
