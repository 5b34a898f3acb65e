// Face box -> the square around it, upright, at the model's size; see deepfake_detect/face/crop.py.

import { part, roundEven } from "../picture/pixels.js";
import { resize } from "../picture/resize.js";
import { rotation, warp } from "../picture/warp.js";

/**
 * What is cut out for a face: left, top, right, bottom in pixels, and degrees clockwise by which it is turned.
 * @typedef {number[]} Square
 */

/** The square to cut out for a face, inside a picture of this size; so many times the margin's. @returns {import("../picture/pixels.js").Box} */
export function cropBox([left, top, right, bottom], margin, width, height, framing = 1) {
  const side = Math.min(Math.max(right - left, bottom - top) * (1 + 2 * margin) * framing, width, height);
  const x = Math.min(Math.max((left + right - side) / 2, 0), width - side);
  const y = Math.min(Math.max((top + bottom - side) / 2, 0), height - side);
  return [x, y, x + side, y + side];
}

/** `cropBox` inside the picture's plain borders, turned as the face is. @returns {Square} */
export function faceSquare(face, margin, width, height, framing = 1) {
  const [left, top, right, bottom] = face.frame ?? [0, 0, width, height];
  const inside = face.box.map((edge, n) => edge - (n % 2 ? top : left));
  const square = cropBox(inside, margin, right - left, bottom - top, framing);
  return [...square.map((edge, n) => edge + (n % 2 ? top : left)), face.angle];
}

/** The square in a picture that is so many times smaller. */
export const downscaledSquare = (square, downscale) => square.map((value, n) => (n < 4 ? value / downscale : value));

/**
 * The part of a picture around a turned square, turned level, and the square in it.
 * @param {number} around how much more than the square, as a share of its side, on each side
 * @returns {{level: import("../picture/pixels.js").Picture, square: import("../picture/pixels.js").Box}}
 */
export function level(picture, [left, top, right, bottom, angle = 0], around = 0) {
  if (!angle) return { level: picture, square: [left, top, right, bottom] };
  const side = right - left;
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const size = Math.max(1, roundEven(side * (1 + 2 * around)));
  const onto = rotation(x - 0.5, y - 0.5, angle, 1); // whole numbers are the pixels' centres
  onto[2] += size / 2 - x;
  onto[5] += size / 2 - y;
  const start = (size - side) / 2;
  const [near, far] = [Math.max(0, start), Math.min(size, start + side)];
  return { level: warp(picture, onto, size, size, "cubic", "reflect101"), square: [near, near, far, far] };
}

/**
 * `level` of several squares of one face, which are turned alike: around the largest, and all of them in it.
 * @param {Square[]} squares
 * @returns {{level: import("../picture/pixels.js").Picture, squares: import("../picture/pixels.js").Box[]}}
 */
export function levelTogether(picture, squares, around) {
  const angle = squares[0][4] ?? 0;
  if (!angle) return { level: picture, squares: squares.map((square) => square.slice(0, 4)) };
  const side = ([left, , right]) => right - left;
  const largest = squares.reduce((best, square) => (side(square) > side(best) ? square : best));
  const turned = level(picture, largest, around);
  if (squares.every((square) => square.every((edge, n) => edge === largest[n])))
    return { level: turned.level, squares: squares.map(() => turned.square) };
  const size = turned.level.height;
  const [sin, cos] = [Math.sin((angle * Math.PI) / 180), Math.cos((angle * Math.PI) / 180)];
  const middle = (square, n) => (square[n] + square[n + 2]) / 2;
  const found = squares.map((square) => {
    const own = Math.min(side(square), size);
    const [dx, dy] = [0, 1].map((n) => middle(square, n) - middle(largest, n));
    const [left, top] = [cos * dx + sin * dy, cos * dy - sin * dx].map((offset) =>
      Math.min(Math.max(offset + (size - own) / 2, 0), size - own),
    );
    return [left, top, left + own, top + own];
  });
  return { level: turned.level, squares: found };
}

/** A square of a picture at `size` x `size` pixels. */
export function cut(picture, region, size, resampling) {
  const { level: source, square } = level(picture, region);
  const [left, top] = [Math.trunc(square[0]), Math.trunc(square[1])];
  const right = Math.min(Math.ceil(square[2]), source.width);
  const bottom = Math.min(Math.ceil(square[3]), source.height);
  const around = part(source, left, top, right, bottom);
  const inner = [square[0] - left, square[1] - top];
  inner.push(Math.min(square[2] - left, around.width), Math.min(square[3] - top, around.height));
  return resize(around, size, size, resampling, inner);
}

/** A crop -> what the model takes: planes of red, green and blue in 0..1, one crop behind the other. */
export function pixelValues(crops, size) {
  const values = new Float32Array(crops.length * 3 * size * size);
  crops.forEach(({ data }, number) => {
    for (let c = 0; c < 3; c++)
      for (let n = 0; n < size * size; n++) values[(number * 3 + c) * size * size + n] = data[3 * n + c] / 255;
  });
  return values;
}
