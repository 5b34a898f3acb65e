// The network in onnxruntime-web, and what its file says of itself.

import { pixelValues } from "../face/crop.js";
import { mirrored } from "../picture/pixels.js";
import { Engines } from "./engines.js";

export const MICRO_BATCH = 4; // crops in one run: more take memory and no less time

/**
 * @typedef {object} Metadata as deepfake_detect/model/onnx_model.py has it
 * @property {number} size side of the input in pixels
 * @property {number} crop_margin
 * @property {"bilinear" | "bicubic" | "lanczos"} resampling
 * @property {number} temperature the logits are divided by this before the softmax
 * @property {number[]} unsure_band a chance strictly between these is "unsure"
 * @property {{names: string[], temperature: number, least: Record<string, number>} | null} kinds
 * @property {{framings: number[], mirrored: boolean}} looks of which the logits are averaged
 */

export class Model {
  /** For `load`. @param {any} ort @param {any} session @param {Metadata} metadata */
  constructor(ort, session, metadata) {
    this.ort = ort;
    this.session = session;
    this.metadata = metadata;
  }

  /**
   * @param {any} ort onnxruntime's module
   * @param {Uint8Array} file an ONNX file of this project
   * @param {Metadata} metadata of that file
   */
  static async load(ort, file, metadata) {
    const options = { executionProviders: ["wasm"], logSeverityLevel: 4 };
    return new Model(ort, new Engines(await ort.InferenceSession.create(file, options)), metadata);
  }

  /**
   * What the network gives for each crop, unscaled: [real, fake], and one number for each kind, where it tells these.
   * @returns {Promise<{logits: number[], kinds: number[]}[]>}
   */
  async outputs(crops) {
    const { size, kinds } = this.metadata;
    const names = kinds ? ["logits", "kinds"] : ["logits"];
    const found = [];
    for (let start = 0; start < crops.length; start += MICRO_BATCH) {
      const run = crops.slice(start, start + MICRO_BATCH);
      const input = new this.ort.Tensor("float32", pixelValues(run, size), [run.length, 3, size, size]);
      const given = await this.session.run({ pixel_values: input }, names);
      const of = (name, n) => {
        const { data, dims } = given[name];
        return Array.from(data.subarray(n * dims[1], (n + 1) * dims[1]));
      };
      run.forEach((_, n) => found.push({ logits: of("logits", n), kinds: kinds ? of("kinds", n) : [] }));
    }
    return found;
  }

  /** @returns {Promise<number[][]>} [real, fake] of each crop, unscaled */
  async logits(crops) {
    return (await this.outputs(crops)).map(({ logits }) => logits);
  }

  /**
   * The chance of each face of being fake, calibrated, strictly within 0..1, and what it is most like if it is fake,
   * null where that is not to be said: by the mean of the logits of all its framings and, where the model is to look at
   * these, their mirror images.
   * @param {import("../picture/pixels.js").Picture[][]} framed the framings of each face
   * @returns {Promise<{pFake: number, kind: string | null}[]>}
   */
  async scores(framed) {
    const { temperature, kinds, looks } = this.metadata;
    const views = framed.map((crops) => (looks.mirrored ? [...crops, ...crops.map(mirrored)] : crops));
    const found = await this.outputs(views.flat());
    return views.map(({ length }) => {
      const own = found.splice(0, length);
      const chance = probability(mean(own.map(({ logits }) => logits)), temperature);
      return { pFake: chance, kind: kinds && namedKind(mean(own.map((one) => one.kinds)), kinds) };
    });
  }

  /** Of `scores` the chances. @returns {Promise<number[]>} */
  async chances(framed) {
    return (await this.scores(framed)).map(({ pFake }) => pFake);
  }
}

const mean = (rows) => rows[0].map((_, n) => rows.reduce((sum, row) => sum + row[n], 0) / rows.length);

/**
 * The name of the likeliest kind of fake, or null where its chance among these, of which the first is real, is too low.
 * @param {number[]} logits
 * @param {{names: string[], temperature: number, least: Record<string, number>}} kinds
 */
export function namedKind(logits, { names, temperature, least }) {
  const scaled = logits.slice(1).map((value) => value / temperature);
  const most = Math.max(...scaled);
  const share = 1 / scaled.reduce((sum, value) => sum + Math.exp(value - most), 0);
  const name = names[scaled.indexOf(most) + 1];
  return share >= (least[name] ?? Infinity) ? name : null;
}

/** Softmax of two logits at a temperature, second class; further out than 36 a number of 64 bits says 1. */
export function probability([real, fake], temperature) {
  const difference = (fake - real) / temperature;
  return 1 / (1 + Math.exp(-Math.min(Math.max(difference, -36), 36)));
}
