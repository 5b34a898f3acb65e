// YuNet in onnxruntime-web: a picture of any size -> rows of boxes, landmarks and scores.

import { blank, paste } from "../picture/pixels.js";
import { table } from "../table.js";

const { NMS_THRESHOLD, STRIDES, MIN_INPUT, SCORE } = table.yunet;
const f = Math.fround;

/**
 * One face or what might be one: 15 numbers in pixels: x, y, width, height, landmarks (x and y of right eye, left eye,
 * nose tip, right and left mouth corner), score 0..1.
 * @typedef {Float32Array} Row
 */

export const rowSide = (row) => Math.max(row[2], row[3]);
export const rowCentre = (row) => [f(row[0] + f(row[2] / 2)), f(row[1] + f(row[3] / 2))];

/** Move the places of a row, which its width and height are not, by so many pixels. Changes it. */
export function moveRow(row, x, y) {
  for (const n of [0, 4, 6, 8, 10, 12]) {
    row[n] += x;
    row[n + 1] += y;
  }
}

export class Yunet {
  /** For `load`. @param {any} ort @param {any} session */
  constructor(ort, session) {
    this.ort = ort;
    this.session = session;
  }

  /**
   * @param {any} ort onnxruntime's module
   * @param {Uint8Array} file YuNet's ONNX file, whose input may have any size
   */
  static async load(ort, file) {
    const options = { executionProviders: ["wasm"], logSeverityLevel: 4 };
    return new Yunet(ort, await ort.InferenceSession.create(file, options));
  }

  /**
   * What YuNet finds in a picture at its own scale.
   * @param {import("../picture/pixels.js").Picture} picture
   * @param {number} minScore 0..1
   * @returns {Promise<Row[]>} the most confident first; boxes may reach beyond the picture
   */
  async rows(picture, minScore) {
    const last = STRIDES[STRIDES.length - 1];
    const [width, height] = [picture.width, picture.height].map(
      (side) => side + Math.max(MIN_INPUT - side, (last - (side % last)) % last),
    );
    const input = new this.ort.Tensor("float32", planes(picture, width, height), [1, 3, height, width]);
    const found = await this.session.run({ input });
    const rows = STRIDES.flatMap((stride) => {
      const [faceness, objectness, box, landmarks] = ["cls", "obj", "bbox", "kps"].map(
        (k) => found[`${k}_${stride}`].data,
      );
      return decoded(faceness, objectness, box, landmarks, stride, width / stride, f(minScore));
    });
    return suppressed(rows).filter(
      (row) => row[0] < picture.width && row[1] < picture.height && f(row[0] + row[2]) > 0 && f(row[1] + row[3]) > 0,
    );
  }
}

/** Blue, green and red planes of a picture that is continued in black. */
function planes(picture, width, height) {
  const padded = blank(width, height);
  paste(padded, picture, 0, 0);
  const size = width * height;
  const values = new Float32Array(3 * size);
  for (let n = 0; n < size; n++) {
    values[n] = padded.data[3 * n + 2];
    values[size + n] = padded.data[3 * n + 1];
    values[2 * size + n] = padded.data[3 * n];
  }
  return values;
}

/** The rows of one of YuNet's three scales. */
function decoded(faceness, objectness, box, landmarks, stride, columns, minScore) {
  const rows = [];
  const bound = (value) => Math.min(Math.max(value, 0), 1);
  for (let n = 0; n < faceness.length; n++) {
    const score = f(Math.sqrt(f(bound(faceness[n]) * bound(objectness[n]))));
    if (!(score >= minScore)) continue;
    const cell = [n % columns, Math.floor(n / columns)];
    const row = new Float32Array(15);
    for (let k = 0; k < 2; k++) {
      const size = f(Math.exp(box[4 * n + 2 + k]));
      row[k] = f(f(f(cell[k] + box[4 * n + k]) - f(size / 2)) * stride);
      row[2 + k] = f(size * stride);
    }
    for (let k = 0; k < 10; k++) row[4 + k] = f(f(cell[k % 2] + landmarks[10 * n + k]) * stride);
    row[SCORE] = score;
    rows.push(row);
  }
  return rows;
}

/** Rows without those that overlap a more confident one, as OpenCV's NMSBoxes; the most confident first. */
function suppressed(rows) {
  const sorted = rows.filter((row) => row[SCORE] > 0).sort((a, b) => b[SCORE] - a[SCORE]);
  const kept = [];
  for (const row of sorted) {
    const box = Array.from(row.subarray(0, 4), Math.trunc);
    if (kept.every((other) => shared(box, other.box) <= f(NMS_THRESHOLD))) kept.push({ row, box });
  }
  return kept.map(({ row }) => row);
}

/** What two boxes of x, y, width and height share of what they cover together. */
function shared(one, other) {
  const [width, height] = [0, 1].map(
    (k) => Math.min(one[k] + one[k + 2], other[k] + other[k + 2]) - Math.max(one[k], other[k]),
  );
  const both = one[2] * one[3] + other[2] * other[3];
  if (both <= Number.EPSILON) return 1;
  const inner = width > 0 && height > 0 ? width * height : 0;
  return f(1 - f(1 - inner / (both - inner)));
}
