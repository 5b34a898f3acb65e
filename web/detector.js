// Pictures -> verdicts, in a browser or in Node.js: what deepfake_detect.Detector is in Python.
//
//   import { Detector } from "./detector.js";
//   const detector = await Detector.load();
//   console.log((await detector.judge(file)).label);

import { rescore, steady } from "./evidence/robustness.js";
import { cut, downscaledSquare, faceSquare } from "./face/crop.js";
import { search } from "./face/finder.js";
import { faceWarnings, joined, longerSide } from "./face/quality.js";
import { Yunet } from "./face/yunet.js";
import { Model } from "./model/model.js";
import { downscaled } from "./picture/area.js";
import { open } from "./picture/decode.js";
import { table } from "./table.js";
import { chance, decide, faceLabel, FAKE, labelOf, REAL, remarks, UNSURE } from "./verdict/decide.js";
import { once, reason, sentence } from "./verdict/reasons.js";

export { readClaims } from "./picture/claims.js";

const { MIN_OVERSAMPLING } = table.detector;
const { MAX_FACES } = table.crowd;

/**
 * One judged face.
 * @typedef {object} Face
 * @property {number[]} box left, top, right, bottom in pixels of the upright picture
 * @property {number} score confidence of the face finder, 0..1
 * @property {number} p_fake calibrated probability, 0..1
 * @property {"real" | "fake" | "unsure"} label of this face by itself
 * @property {string | null} kind what it is most like if it is called fake, where that is to be said
 */

/**
 * What Python's `Verdict.to_dict` gives.
 * @typedef {object} Verdict
 * @property {"real" | "fake" | "unsure"} label
 * @property {number} p_fake calibrated probability, 0..1
 * @property {number} confidence
 * @property {string[]} reasons sentences
 * @property {string[]} reason_codes of these, in the same order
 * @property {Face[]} faces largest first
 * @property {number} faces_left_out
 * @property {number} faces_found
 * @property {string | null} kind of a picture called fake
 */

/**
 * @typedef {object} Options
 * @property {boolean} [thorough] re-score under small changes; by default as the Python side does
 * @property {(share: number) => void} [progress] called with 0..1
 */

export class Detector {
  /** For `load`. @param {object} version what model.json says @param {Model} model @param {Yunet} yunet */
  constructor(version, model, yunet) {
    /** @type {Record<string, any>} version, the model's sha256, error rates and self-test */
    this.version = version;
    this.model = model;
    this.yunet = yunet;
    /** @type {Promise<unknown>} of the picture before, as each network runs one input at a time */
    this.last = Promise.resolve();
  }

  /**
   * @param {object} [options]
   * @param {URL | string} [options.base] the folder with model.json, the model and YuNet; by default that of this file
   * @param {any} [options.ort] the module onnxruntime-web; by default the copy beside this file
   * @param {(name: string) => Promise<Uint8Array>} [options.read] how a file of that folder is read; by default `fetch`
   * @returns {Promise<Detector>}
   */
  static async load({
    base = new URL("./", import.meta.url),
    ort,
    read = (name) => fetched(new URL(name, base)),
  } = {}) {
    const version = JSON.parse(new TextDecoder().decode(await read("model.json")));
    const [runtime, model, yunet] = await Promise.all([
      ort ?? import("./vendor/ort.wasm.min.mjs"),
      read(version.file),
      read(version.yunet),
    ]);
    if (!ort) {
      runtime.env.wasm.numThreads = 1; // more take headers that a plain web server does not send
      runtime.env.wasm.wasmPaths = new URL("./vendor/", import.meta.url).href;
    }
    const loaded = await Model.load(runtime, model, version.metadata);
    return new Detector(version, loaded, await Yunet.load(runtime, yunet));
  }

  /**
   * Judge one picture.
   * @param {Blob | Uint8Array | import("./picture/pixels.js").Picture} source a file, its bytes, or pixels
   * @param {Options} [options]
   * @returns {Promise<Verdict>}
   * @throws {import("./verdict/reasons.js").DetectError} with a code and a sentence
   */
  async judge(source, options = {}) {
    return toDict((await this.examine(source, options)).verdict);
  }

  /**
   * `judge` with all that a page shows: the verdict, the stability of its faces, the picture's width and height, and
   * where the network ran.
   * @param {Blob | Uint8Array | import("./picture/pixels.js").Picture} source
   * @param {Options} [options]
   */
  examine(source, options = {}) {
    return this.alone(() => this.examined(source, options));
  }

  /**
   * Do something with the networks while no picture is judged.
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  alone(work) {
    const run = this.last.then(work);
    this.last = run.catch(() => {});
    return run;
  }

  /** `examine` by itself. */
  async examined(source, { thorough = table.detector.THOROUGH, progress = () => {} }) {
    const { used } = this.model.session;
    used.clear();
    const opened = await open(source);
    progress(0.1);
    const faceCrops = await this.prepare(opened);
    progress(0.4);
    const first = this.decided(faceCrops, await this.model.scores(faceCrops.framed));
    progress(0.6);
    const { whole } = opened;
    const shown = (verdict, stability) => {
      return { verdict, stability, width: whole.width, height: whole.height, engines: [...used] };
    };
    if (!thorough || !first.faces.length) return shown(first, []);
    const stability = await rescore(this.model, faceCrops.pixels, faceCrops.cropDownscale, first.faces, (share) =>
      progress(0.6 + 0.4 * share),
    );
    return shown(steady(first, stability, this.model.metadata.unsure_band), stability);
  }

  /** Find the faces and cut out the largest. */
  async prepare(opened) {
    const { crop_margin: margin, size, resampling, looks } = this.model.metadata;
    const { whole, downscale } = opened;
    const found = await search(this.yunet, opened.pixels, downscale);
    const faces = found.faces.map((face) => enlarged(face, downscale, whole)).slice(0, MAX_FACES);
    const squares = faces.map((face) => faceSquare(face, margin, whole.width, whole.height));
    const framings = faces.map((face) =>
      looks.framings.map((framing) => faceSquare(face, margin, whole.width, whole.height, framing)),
    );
    const regions = framings.length ? framings : [[[0, 0, whole.width, whole.height]]];
    const { pixels, cropDownscale } = fineEnough(opened, [...squares, ...regions.flat()], size);
    const crop = (square) => cut(pixels, downscaledSquare(square, cropDownscale), size, resampling);
    const framed = regions.map((several) => several.map(crop));
    const plain = looks.framings.indexOf(1);
    const warnings = faces.map((face, n) =>
      faceWarnings(pixels, cropDownscale, face.box, framed[n][plain] ?? crop(squares[n])),
    );
    return {
      faces,
      framings,
      framed,
      warnings,
      pixels,
      cropDownscale,
      facesDropped: found.faces.length - faces.length,
      placesDropped: found.placesDropped,
    };
  }

  /** The verdict of the faces and what `Model.scores` says of each. */
  decided({ faces: found, framings, warnings, facesDropped, placesDropped }, scores) {
    const { unsure_band: band } = this.model.metadata;
    const unseen = placesDropped
      ? [reason("places_left_out", sentence("PLACES_LEFT_OUT", placesDropped))]
      : [];
    if (!found.length) {
      const whole = Math.max(...scores.map(({ pFake }) => chance(pFake)));
      const reasons = [reason("no_face", sentence("NO_FACE")), ...unseen];
      return { label: UNSURE, p_fake: whole, reasons, faces: [], faces_left_out: 0 };
    }
    const faces = found.map(({ box, score }, n) => {
      const side = longerSide(box);
      const { pFake, kind } = scores[n];
      const label = faceLabel(pFake, side, band);
      return { box, score, p_fake: pFake, label, kind: label === FAKE ? kind : null, side, framings: framings[n] };
    });
    const { label, pFake } = decide(faces, band);
    const percent = band.map((end) => Math.round(100 * end));
    const inBand = label === UNSURE && labelOf(pFake, band) === UNSURE;
    const labels = faces.map((face) => face.label);
    const reasons = once([
      ...(inBand ? [reason("uncertain", sentence("IN_BAND", ...percent))] : []),
      ...remarks(faces, label, band),
      ...(labels.includes(REAL) && labels.includes(FAKE) ? [reason("faces_disagree", sentence("DISAGREE"))] : []),
      ...(facesDropped ? [reason("many_faces", sentence("LEFT_OUT", faces.length + facesDropped, faces.length))] : []),
      ...unseen,
      ...joined(
        found.map(({ box }) => box),
        warnings,
      ),
    ]);
    return { label, p_fake: pFake, reasons, faces, faces_left_out: facesDropped };
  }
}

/** The bytes at an address. @param {URL} url @param {RequestInit} [how] */
export async function fetched(url, how) {
  const answer = await fetch(url, how);
  if (!answer.ok) throw new Error(`${url} cannot be loaded: ${answer.status}.`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** A face of a downscaled picture, in pixels of the whole to within `downscale`. */
function enlarged(face, downscale, { width, height }) {
  const whole = (box) => box.map((edge, n) => Math.min(edge * downscale, n % 2 ? height : width));
  const landmarks = face.landmarks.map(([x, y]) => [x * downscale, y * downscale]);
  return { ...face, box: whole(face.box), landmarks, frame: face.frame && whole(face.frame) };
}

/** The picture at a size in which the smallest of these squares has pixels enough for its crop. */
function fineEnough({ whole, pixels, downscale }, squares, size) {
  const narrowest = Math.min(...squares.map((square) => Math.min(square[2] - square[0], square[3] - square[1])));
  if (downscale === 1 || narrowest >= MIN_OVERSAMPLING * size * downscale) return { pixels, cropDownscale: downscale };
  const most = narrowest / (MIN_OVERSAMPLING * size);
  const cropDownscale = [4, 2].find((smaller) => smaller < downscale && smaller <= most) ?? 1;
  return { pixels: cropDownscale > 1 ? downscaled(whole, cropDownscale) : whole, cropDownscale };
}

/** The most suspicious first. */
const suspicious = (faces) => [...faces].sort((a, b) => b.p_fake - a.p_fake);

/** @returns {Face} */
export const faceDict = ({ box, score, p_fake, label, kind }) => ({ box, score, p_fake, label, kind });

/** @returns {Verdict} */
export function toDict({ label, p_fake, reasons, faces, faces_left_out }) {
  return {
    label,
    p_fake,
    confidence: Math.max(p_fake, 1 - p_fake),
    reasons: reasons.map(({ text }) => text),
    reason_codes: reasons.map(({ code }) => code),
    faces: faces.map(faceDict),
    faces_left_out,
    faces_found: faces.length + faces_left_out,
    kind: label === FAKE ? (suspicious(faces).find((face) => face.kind)?.kind ?? null) : null,
  };
}
