// What one JPEG with chroma at half resolution leaves of a picture: libjpeg's slow integer transforms, its quantisation
// and its smooth upsampling, to the last bit. Nothing is written, as what is coded without loss need not be coded.

import { blank } from "../picture/pixels.js";

// ISO/IEC 10918-1, Annex K, row by row.
const LUMINANCE = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
  87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
];
const CHROMINANCE = [
  17,
  18,
  24,
  47,
  99,
  99,
  99,
  99,
  18,
  21,
  26,
  66,
  99,
  99,
  99,
  99,
  24,
  26,
  56,
  99,
  99,
  99,
  99,
  99,
  47,
  66,
  99,
  99,
  99,
  99,
  99,
  99,
  ...Array(32).fill(99),
];
const FIX = (value) => Math.round(value * 8192); // 13 bits behind the point
const [F0298, F0390, F0541, F0765, F0899, F1175] = [
  0.298631336, 0.390180644, 0.5411961, 0.765366865, 0.899976223, 1.175875602,
].map(FIX);
const [F1501, F1847, F1961, F2053, F2562, F3072] = [
  1.50132111, 1.847759065, 1.96157056, 2.053119869, 2.562915447, 3.072711026,
].map(FIX);

/** Quantisation steps of a quality of 1 to 100. */
function steps(table, quality) {
  const scale = quality < 50 ? Math.trunc(5000 / quality) : 200 - 2 * quality;
  return table.map((value) => Math.min(Math.max(Math.trunc((value * scale + 50) / 100), 1), 255));
}

/** One row or column of libjpeg's forward transform (jfdctint.c); `first`: of the pass over rows, whose results keep
 * two bits behind the point. */
function forward(b, at, step, first) {
  const p = (n) => at + n * step;
  const shift = first ? 11 : 15;
  const round = 1 << (shift - 1);
  const t0 = b[p(0)] + b[p(7)],
    t7 = b[p(0)] - b[p(7)],
    t1 = b[p(1)] + b[p(6)],
    t6 = b[p(1)] - b[p(6)];
  const t2 = b[p(2)] + b[p(5)],
    t5 = b[p(2)] - b[p(5)],
    t3 = b[p(3)] + b[p(4)],
    t4 = b[p(3)] - b[p(4)];
  const t10 = t0 + t3,
    t13 = t0 - t3,
    t11 = t1 + t2,
    t12 = t1 - t2;
  b[p(0)] = first ? (t10 + t11) << 2 : (t10 + t11 + 2) >> 2;
  b[p(4)] = first ? (t10 - t11) << 2 : (t10 - t11 + 2) >> 2;
  const even = (t12 + t13) * F0541;
  b[p(2)] = (even + t13 * F0765 + round) >> shift;
  b[p(6)] = (even - t12 * F1847 + round) >> shift;
  const z5 = (t4 + t6 + t5 + t7) * F1175;
  const z1 = -(t4 + t7) * F0899,
    z2 = -(t5 + t6) * F2562;
  const z3 = z5 - (t4 + t6) * F1961,
    z4 = z5 - (t5 + t7) * F0390;
  b[p(7)] = (t4 * F0298 + z1 + z3 + round) >> shift;
  b[p(5)] = (t5 * F2053 + z2 + z4 + round) >> shift;
  b[p(3)] = (t6 * F3072 + z2 + z3 + round) >> shift;
  b[p(1)] = (t7 * F1501 + z1 + z4 + round) >> shift;
}

/** One column or row of libjpeg's inverse transform (jidctint.c); `first`: of the pass over columns. */
function inverse(b, at, step, first) {
  const p = (n) => at + n * step;
  const shift = first ? 11 : 18;
  const round = 1 << (shift - 1);
  const even = (b[p(2)] + b[p(6)]) * F0541;
  const e2 = even - b[p(6)] * F1847,
    e3 = even + b[p(2)] * F0765;
  const e0 = (b[p(0)] + b[p(4)]) * 8192,
    e1 = (b[p(0)] - b[p(4)]) * 8192;
  const t10 = e0 + e3,
    t13 = e0 - e3,
    t11 = e1 + e2,
    t12 = e1 - e2;
  const o0 = b[p(7)],
    o1 = b[p(5)],
    o2 = b[p(3)],
    o3 = b[p(1)];
  const z5 = (o0 + o2 + o1 + o3) * F1175;
  const z1 = -(o0 + o3) * F0899,
    z2 = -(o1 + o2) * F2562;
  const z3 = z5 - (o0 + o2) * F1961,
    z4 = z5 - (o1 + o3) * F0390;
  const t0 = o0 * F0298 + z1 + z3,
    t1 = o1 * F2053 + z2 + z4,
    t2 = o2 * F3072 + z2 + z3,
    t3 = o3 * F1501 + z1 + z4;
  b[p(0)] = (t10 + t3 + round) >> shift;
  b[p(7)] = (t10 - t3 + round) >> shift;
  b[p(1)] = (t11 + t2 + round) >> shift;
  b[p(6)] = (t11 - t2 + round) >> shift;
  b[p(2)] = (t12 + t1 + round) >> shift;
  b[p(5)] = (t12 - t1 + round) >> shift;
  b[p(3)] = (t13 + t0 + round) >> shift;
  b[p(4)] = (t13 - t0 + round) >> shift;
}

/** A plane [height, width] of whole blocks after transform, quantisation and back. Changes it. */
function requantised(plane, width, height, table) {
  const block = new Int32Array(64);
  for (let top = 0; top < height; top += 8)
    for (let left = 0; left < width; left += 8) {
      for (let n = 0; n < 64; n++) block[n] = plane[(top + (n >> 3)) * width + left + (n & 7)] - 128;
      for (let n = 0; n < 8; n++) forward(block, n * 8, 1, true);
      for (let n = 0; n < 8; n++) forward(block, n, 8, false);
      for (let n = 0; n < 64; n++) {
        const step = table[n] * 8; // the transform's results are eight times too large
        const size = Math.floor((Math.abs(block[n]) + (step >> 1)) / step);
        block[n] = (block[n] < 0 ? -size : size) * table[n];
      }
      for (let n = 0; n < 8; n++) inverse(block, n, 8, true);
      for (let n = 0; n < 8; n++) inverse(block, n * 8, 1, false);
      for (let n = 0; n < 64; n++)
        plane[(top + (n >> 3)) * width + left + (n & 7)] = Math.min(Math.max(block[n] + 128, 0), 255);
    }
}

const COLOUR = (value) => Math.round(value * 65536);
const HALF = 32768;

/** A chroma plane at half the size, padded to whole blocks by repeating its last pixels. */
function halved(full, fullWidth, width, height, blocksWide, blocksHigh) {
  const small = new Uint8Array(blocksWide * blocksHigh);
  const rows = Math.ceil(height / 2);
  const at = (x, y) => full[Math.min(y, height - 1) * fullWidth + Math.min(x, width - 1)];
  for (let y = 0; y < blocksHigh; y++) {
    const v = 2 * Math.min(y, rows - 1);
    for (let x = 0; x < blocksWide; x++) {
      const u = 2 * x;
      const sum = at(u, v) + at(u + 1, v) + at(u, v + 1) + at(u + 1, v + 1);
      small[y * blocksWide + x] = (sum + 1 + (x & 1)) >> 2;
    }
  }
  return small;
}

/** A chroma plane at twice the size: libjpeg's "fancy" upsampling by a triangle of three quarters and one quarter. */
function doubled(small, blocksWide, width, height) {
  const [columns, rows] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const full = new Uint8Array(width * height);
  const sums = new Int32Array(columns);
  for (let y = 0; y < height; y++) {
    const near = (y >> 1) * blocksWide;
    const far = Math.min(Math.max((y >> 1) + (y & 1 ? 1 : -1), 0), rows - 1) * blocksWide;
    for (let x = 0; x < columns; x++) sums[x] = 3 * small[near + x] + small[far + x];
    for (let x = 0; x < width; x++) {
      const own = sums[x >> 1];
      const beside = sums[Math.min(Math.max((x >> 1) + (x & 1 ? 1 : -1), 0), columns - 1)];
      full[y * width + x] = (3 * own + beside + (x & 1 ? 7 : 8)) >> 4;
    }
  }
  return full;
}

/**
 * A picture after one JPEG.
 * @param {import("../picture/pixels.js").Picture} picture
 * @param {number} quality 1..100, as libjpeg counts it
 * @returns {import("../picture/pixels.js").Picture}
 */
export function compressed(picture, quality) {
  const { data, width, height } = picture;
  const [wide, high] = [Math.ceil(width / 16) * 16, Math.ceil(height / 16) * 16];
  const luma = new Uint8Array(wide * high);
  const [cb, cr] = [new Uint8Array(width * height), new Uint8Array(width * height)];
  const [yr, yg, yb] = [0.299, 0.587, 0.114].map(COLOUR);
  const [br, bg, rg, rb] = [0.16874, 0.33126, 0.41869, 0.08131].map(COLOUR);
  const shifted = 128 * 65536 + HALF - 1;
  for (let y = 0; y < high; y++)
    for (let x = 0; x < wide; x++) {
      const from = (Math.min(y, height - 1) * width + Math.min(x, width - 1)) * 3;
      const [r, g, b] = [data[from], data[from + 1], data[from + 2]];
      luma[y * wide + x] = (yr * r + yg * g + yb * b + HALF) >> 16;
      if (x < width && y < height) {
        cb[y * width + x] = (-br * r - bg * g + HALF * b + shifted) >> 16;
        cr[y * width + x] = (HALF * r - rg * g - rb * b + shifted) >> 16;
      }
    }
  requantised(luma, wide, high, steps(LUMINANCE, quality));
  const chroma = [cb, cr].map((plane) => {
    const small = halved(plane, width, width, height, wide / 2, high / 2);
    requantised(small, wide / 2, high / 2, steps(CHROMINANCE, quality));
    return doubled(small, wide / 2, width, height);
  });
  return toRgb(luma, wide, ...chroma, width, height);
}

function toRgb(luma, wide, cb, cr, width, height) {
  const result = blank(width, height);
  const [red, blue, greenR, greenB] = [1.402, 1.772, 0.71414, 0.34414].map(COLOUR);
  const bound = (value) => (value < 0 ? 0 : value > 255 ? 255 : value);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const n = y * width + x;
      const [grey, u, v] = [luma[y * wide + x], cb[n] - 128, cr[n] - 128];
      result.data[3 * n] = bound(grey + ((red * v + HALF) >> 16));
      result.data[3 * n + 1] = bound(grey + ((-greenB * u - greenR * v + HALF) >> 16));
      result.data[3 * n + 2] = bound(grey + ((blue * u + HALF) >> 16));
    }
  return result;
}
