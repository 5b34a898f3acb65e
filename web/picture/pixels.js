// Pictures as plain pixels, and the arithmetic of whole numbers that Python and OpenCV share.

/**
 * A picture of 8-bit RGB in sRGB's colours, upright, row by row: 3 bytes a pixel.
 * @typedef {{data: Uint8Array, width: number, height: number}} Picture
 */

/**
 * Left, top, right, bottom in pixels.
 * @typedef {number[]} Box
 */

/** @returns {Picture} a black picture */
export function blank(width, height) {
  return { data: new Uint8Array(width * height * 3), width, height };
}

/** The part of a picture between whole numbers of pixels. @returns {Picture} a copy, or the picture itself if all */
export function part(picture, left, top, right, bottom) {
  const { data, width, height } = picture;
  if (left === 0 && top === 0 && right === width && bottom === height) return picture;
  const result = blank(right - left, bottom - top);
  for (let y = top; y < bottom; y++)
    result.data.set(data.subarray((y * width + left) * 3, (y * width + right) * 3), (y - top) * result.width * 3);
  return result;
}

/** Lay one picture on another. Changes `picture`. */
export function paste(picture, other, left, top) {
  const line = other.width * 3;
  for (let y = 0; y < other.height; y++)
    picture.data.set(other.data.subarray(y * line, (y + 1) * line), ((top + y) * picture.width + left) * 3);
}

/** @returns {Picture} a copy with left and right exchanged */
export function mirrored({ data, width, height }) {
  const result = blank(width, height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      const to = (y * width + width - 1 - x) * 3;
      for (let channel = 0; channel < 3; channel++) result.data[to + channel] = data[from + channel];
    }
  return result;
}

/** Grey levels as OpenCV's COLOR_RGB2GRAY has them. @returns {{data: Uint8Array, width: number, height: number}} */
export function grey({ data, width, height }) {
  const result = new Uint8Array(width * height);
  for (let n = 0; n < result.length; n++)
    result[n] = (data[3 * n] * 9798 + data[3 * n + 1] * 19235 + data[3 * n + 2] * 3735 + 16384) >> 15;
  return { data: result, width, height };
}

/** To the nearest whole number, halves to the even one: Python's `round`, numpy's `rint` and OpenCV's `cvRound`. */
export function roundEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 ? below + 1 : below;
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
