// OpenCV's resize with INTER_AREA, for pictures that shrink: each pixel is the mean of the area that it stands for.

import { blank, roundEven } from "./pixels.js";

/** Shares of the source pixels in each target pixel along one side, as OpenCV's `computeResizeAreaTab` has them. */
function shares(size, to, scale) {
  const table = { source: [], target: [], share: [] };
  const add = (source, target, share) => {
    table.source.push(source);
    table.target.push(target);
    table.share.push(Math.fround(share));
  };
  for (let target = 0; target < to; target++) {
    const start = target * scale;
    const end = start + scale;
    const cell = Math.min(scale, size - start);
    const last = Math.min(Math.floor(end), size - 1);
    const first = Math.min(Math.ceil(start), last);
    if (first - start > 1e-3) add(first - 1, target, (first - start) / cell);
    for (let source = first; source < last; source++) add(source, target, 1 / cell);
    if (end - last > 1e-3) add(last, target, Math.min(end - last, 1, cell) / cell);
  }
  return table;
}

/**
 * A smaller copy.
 * @param {{data: Uint8Array, width: number, height: number}} picture
 * @param {number} width of the copy, no more than that of the picture
 * @param {number} height likewise
 * @param {number} [channels] bytes a pixel
 * @param {number} [scale] pixels of the picture for one of the copy's, where that was given and the size follows
 */
export function shrink(picture, width, height, channels = 3, scale = 0) {
  const across = scale || 1 / (width / picture.width);
  const down = scale || 1 / (height / picture.height);
  const result = { data: new Uint8Array(width * height * channels), width, height };
  const whole = (value) => Math.abs(value - Math.round(value)) < Number.EPSILON;
  if (whole(across) && whole(down))
    return byWholeNumbers(picture, result, channels, Math.round(across), Math.round(down));
  const columns = shares(picture.width, width, across);
  const rows = shares(picture.height, height, down);
  const line = width * channels;
  const sums = new Float32Array(line);
  const row = new Float32Array(line);
  const from = Int32Array.from(columns.source, (value) => value * channels);
  const onto = Int32Array.from(columns.target, (value) => value * channels);
  const share = Float32Array.from(columns.share);
  for (let n = 0; n < rows.source.length; n++) {
    const start = rows.source[n] * picture.width * channels;
    row.fill(0);
    for (let k = 0; k < from.length; k++) {
      const place = start + from[k];
      for (let c = 0; c < channels; c++) row[onto[k] + c] += Math.fround(picture.data[place + c] * share[k]);
    }
    for (let x = 0; x < line; x++) sums[x] += Math.fround(rows.share[n] * row[x]);
    if (rows.target[n + 1] !== rows.target[n]) {
      for (let x = 0; x < line; x++) result.data[rows.target[n] * line + x] = Math.min(255, roundEven(sums[x]));
      sums.fill(0);
    }
  }
  return result;
}

function byWholeNumbers(picture, result, channels, across, down) {
  const line = picture.width * channels;
  const share = Math.fround(1 / (across * down));
  for (let y = 0; y < result.height; y++)
    for (let x = 0; x < result.width; x++)
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        const corner = y * down * line + x * across * channels + c;
        for (let v = 0; v < down; v++)
          for (let u = 0; u < across; u++) sum += picture.data[corner + v * line + u * channels];
        const mean = across === 2 && down === 2 ? (sum + 2) >> 2 : roundEven(Math.fround(sum * share));
        result.data[(y * result.width + x) * channels + c] = mean;
      }
  return result;
}

/**
 * The mean of `downscale` x `downscale` pixels each, the last ones of a side of fewer.
 * @returns {import("./pixels.js").Picture}
 */
export function downscaled(picture, downscale) {
  const width = Math.ceil(picture.width / downscale);
  const height = Math.ceil(picture.height / downscale);
  const result = blank(width, height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const right = Math.min((x + 1) * downscale, picture.width);
      const bottom = Math.min((y + 1) * downscale, picture.height);
      const count = (right - x * downscale) * (bottom - y * downscale);
      for (let c = 0; c < 3; c++) {
        let sum = count >> 1;
        for (let v = y * downscale; v < bottom; v++)
          for (let u = x * downscale; u < right; u++) sum += picture.data[(v * picture.width + u) * 3 + c];
        result.data[(y * width + x) * 3 + c] = Math.floor(sum / count);
      }
    }
  return result;
}
