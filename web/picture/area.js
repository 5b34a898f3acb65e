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
  // The typed array rounds as OpenCV does, halves to the even number, and bounds to 255.
  const goal = new Uint8ClampedArray(result.data.buffer);
  const adding = channels === 3 ? addRow : addGrey;
  const table = {
    from: Int32Array.from(columns.source, (value) => value * channels),
    share: Float32Array.from(columns.share),
    ends: new Int32Array(width), // of each target pixel's entries
  };
  columns.target.forEach((x, k) => (table.ends[x] = k + 1));
  for (let n = 0; n < rows.source.length; n++) {
    adding(picture.data, rows.source[n] * picture.width * channels, table, Math.fround(rows.share[n]), sums);
    if (rows.target[n + 1] !== rows.target[n]) {
      goal.set(sums, rows.target[n] * line);
      sums.fill(0);
    }
  }
  return result;
}

/** Add a row of RGB, each target pixel's share of it, in numbers of 32 bits, to the sums of a target row. */
function addRow(data, start, { from, share, ends }, weight, sums) {
  const f = Math.fround;
  for (let x = 0, k = 0, to = 0; x < ends.length; x++, to += 3) {
    let red = f(0);
    let green = f(0);
    let blue = f(0);
    for (; k < ends[x]; k++) {
      const place = start + from[k];
      const part = share[k];
      red = f(red + f(data[place] * part));
      green = f(green + f(data[place + 1] * part));
      blue = f(blue + f(data[place + 2] * part));
    }
    sums[to] += f(weight * red);
    sums[to + 1] += f(weight * green);
    sums[to + 2] += f(weight * blue);
  }
}

/** `addRow` of grey levels. */
function addGrey(data, start, { from, share, ends }, weight, sums) {
  const f = Math.fround;
  for (let x = 0, k = 0; x < ends.length; x++) {
    let sum = f(0);
    for (; k < ends[x]; k++) sum = f(sum + f(data[start + from[k]] * share[k]));
    sums[x] += f(weight * sum);
  }
}

function byWholeNumbers(picture, result, channels, across, down) {
  const line = picture.width * channels;
  const share = Math.fround(1 / (across * down));
  const sums = new Int32Array(result.width * channels);
  const quarter = across === 2 && down === 2;
  for (let y = 0; y < result.height; y++) {
    sums.fill(0);
    for (let v = y * down; v < (y + 1) * down; v++)
      addBlocks(picture.data, v * line, across, channels, result.width, sums);
    for (let n = 0; n < sums.length; n++)
      result.data[y * sums.length + n] = quarter ? (sums[n] + 2) >> 2 : roundEven(Math.fround(sums[n] * share));
  }
  return result;
}

/** Add the first `count` blocks of so many pixels each in a row to sums, a number for each channel of a block. */
function addBlocks(data, start, pixels, channels, count, sums) {
  let place = start;
  if (channels === 3)
    for (let to = 0; to < 3 * count; to += 3) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (const end = place + 3 * pixels; place < end; place += 3) {
        red += data[place];
        green += data[place + 1];
        blue += data[place + 2];
      }
      sums[to] += red;
      sums[to + 1] += green;
      sums[to + 2] += blue;
    }
  else
    for (let to = 0; to < count; to++) {
      let sum = 0;
      for (const end = place + pixels; place < end; place++) sum += data[place];
      sums[to] += sum;
    }
}

/**
 * The mean of `downscale` x `downscale` pixels each, the last ones of a side of fewer.
 * @returns {import("./pixels.js").Picture}
 */
export function downscaled(picture, downscale) {
  const width = Math.ceil(picture.width / downscale);
  const height = Math.ceil(picture.height / downscale);
  const result = blank(width, height);
  const whole = Math.floor(picture.width / downscale); // blocks of a row that are not cut off
  const rest = picture.width - whole * downscale;
  const sums = new Int32Array(3 * width);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    const bottom = Math.min((y + 1) * downscale, picture.height);
    for (let v = y * downscale; v < bottom; v++) {
      const start = v * picture.width * 3;
      addBlocks(picture.data, start, downscale, 3, whole, sums);
      if (rest) addBlocks(picture.data, start + whole * downscale * 3, rest, 3, 1, sums.subarray(3 * whole));
    }
    const rows = bottom - y * downscale;
    for (let n = 0; n < sums.length; n++) {
      const count = rows * (n < 3 * whole ? downscale : rest);
      result.data[y * sums.length + n] = Math.floor((sums[n] + (count >> 1)) / count);
    }
  }
  return result;
}
