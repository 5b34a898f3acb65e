// OpenCV's warpAffine for 8-bit RGB, to the last bit: its tables and coordinates of fixed point.

import { blank, clamp, roundEven } from "./pixels.js";

/**
 * A map of the plane, row by row: x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5].
 * @typedef {number[]} Affine
 */

/** A turn anticlockwise by degrees around a place, as OpenCV's getRotationMatrix2D. @returns {Affine} */
export function rotation(x, y, degrees, scale) {
  const turn = (degrees * Math.PI) / 180;
  const [a, b] = [Math.cos(turn) * scale, Math.sin(turn) * scale];
  return [a, b, (1 - a) * x - b * y, -b, a, b * x + (1 - a) * y];
}

/** @param {Affine} m @returns {Affine} */
export function inverted(m) {
  const determinant = m[0] * m[4] - m[1] * m[3];
  const d = determinant ? 1 / determinant : 0;
  const [a, b, c, e] = [m[4] * d, -m[1] * d, -m[3] * d, m[0] * d];
  return [a, b, -a * m[2] - b * m[5], c, e, -c * m[2] - e * m[5]];
}

/** Where a line of `size` pixels is continued beyond its ends; -1: in black. */
const BORDERS = {
  replicate: (place, size) => clamp(place, 0, size - 1),
  constant: (place, size) => (place < 0 || place >= size ? -1 : place),
  reflect101: (place, size) => {
    if (size === 1) return 0;
    while (place < 0 || place >= size) place = place < 0 ? -place : 2 * size - 2 - place;
    return place;
  },
};

const STEPS = 32; // places between two pixels that the tables tell apart
const FINE = 1024; // steps of a coordinate between two pixels, as long as it is computed
const ONE = 32768; // of the tables' fixed point

/** Weights of four pixels along a line, for a place `x` in 0..1 behind the second. */
function cubicWeights(x) {
  const a = Math.fround(-0.75);
  const f = Math.fround;
  const one = f(x + 1);
  const rest = f(1 - x);
  const first = f(f(f(f(f(a * one) - f(5 * a)) * one) + f(8 * a)) * one - f(4 * a));
  const second = f(f(f(f(f(f(a + 2) * x) - f(a + 3)) * x) * x) + 1);
  const third = f(f(f(f(f(f(a + 2) * rest) - f(a + 3)) * rest) * rest) + 1);
  return [first, second, third, f(f(f(1 - first) - second) - third)];
}

const linearWeights = (x) => [Math.fround(1 - x), x];

/** Of each of STEPS x STEPS places, weights of taps x taps pixels that add up to ONE. */
function weightTable(taps, weightsAt) {
  const along = Array.from({ length: STEPS }, (_, n) => weightsAt(n / STEPS));
  const table = new Int32Array(STEPS * STEPS * taps * taps);
  for (let y = 0; y < STEPS; y++)
    for (let x = 0; x < STEPS; x++) {
      const weights = table.subarray((y * STEPS + x) * taps * taps, (y * STEPS + x + 1) * taps * taps);
      let sum = 0;
      for (let n = 0; n < weights.length; n++) {
        const weight = Math.fround(along[y][Math.floor(n / taps)] * along[x][n % taps]);
        weights[n] = roundEven(Math.fround(weight * ONE));
        sum += weights[n];
      }
      if (sum === ONE) continue;
      let [most, least] = [10, 10]; // of the four weights at 2 and 3 along each side, where OpenCV puts the rest
      for (const n of [10, 11, 14, 15]) {
        if (weights[n] < weights[least]) least = n;
        else if (weights[n] > weights[most]) most = n;
      }
      weights[sum < ONE ? most : least] -= sum - ONE;
    }
  return table;
}

/** Name -> pixels along each side of which a pixel is made, where the first lies, and their weights. */
const KINDS = {
  linear: { taps: 2, first: 0, weights: weightTable(2, linearWeights) },
  cubic: { taps: 4, first: -1, weights: weightTable(4, cubicWeights) },
};

/**
 * @param {import("./pixels.js").Picture} picture
 * @param {Affine} onto from its pixels to those of the result
 * @param {number} width of the result
 * @param {number} height
 * @param {"linear" | "cubic"} kind
 * @param {"replicate" | "constant" | "reflect101"} border
 * @returns {import("./pixels.js").Picture}
 */
export function warp(picture, onto, width, height, kind, border) {
  const result = blank(width, height);
  const { taps, first, weights } = KINDS[kind];
  const beyond = BORDERS[border];
  const m = inverted(onto);
  const [columns, rows] = [new Int32Array(taps), new Int32Array(taps)];
  let to = 0;
  for (let v = 0; v < height; v++) {
    const startX = roundEven((m[1] * v + m[2]) * FINE) + FINE / STEPS / 2;
    const startY = roundEven((m[4] * v + m[5]) * FINE) + FINE / STEPS / 2;
    for (let u = 0; u < width; u++, to += 3) {
      const x = (startX + roundEven(m[0] * u * FINE)) >> 5;
      const y = (startY + roundEven(m[3] * u * FINE)) >> 5;
      for (let n = 0; n < taps; n++) {
        columns[n] = beyond((x >> 5) + first + n, picture.width);
        rows[n] = beyond((y >> 5) + first + n, picture.height);
      }
      mixed(picture, columns, rows, weights, ((y & 31) * STEPS + (x & 31)) * taps * taps, result.data, to);
    }
  }
  return result;
}

/** One pixel of the result: the weighted sum of the source's at these columns and rows. */
function mixed({ data, width }, columns, rows, weights, start, target, to) {
  let [red, green, blue] = [ONE / 2, ONE / 2, ONE / 2];
  for (let v = 0, n = start; v < rows.length; v++)
    for (let u = 0; u < columns.length; u++, n++) {
      if (rows[v] < 0 || columns[u] < 0) continue;
      const place = (rows[v] * width + columns[u]) * 3;
      red += data[place] * weights[n];
      green += data[place + 1] * weights[n];
      blue += data[place + 2] * weights[n];
    }
  target[to] = clamp(red >> 15, 0, 255);
  target[to + 1] = clamp(green >> 15, 0, 255);
  target[to + 2] = clamp(blue >> 15, 0, 255);
}
