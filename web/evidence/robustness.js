// The same face scored again after small changes: a verdict that does not survive them becomes "unsure".
// What is changed and why is that of deepfake_detect/evidence/robustness.py.

import { cut, downscaledSquare, levelTogether } from "../face/crop.js";
import { mirrored, part, roundEven } from "../picture/pixels.js";
import { resize } from "../picture/resize.js";
import { table } from "../table.js";
import { decide, faceLabel, FAKE, REAL, remarks, UNSURE } from "../verdict/decide.js";
import { fill, once, reason, sentence } from "../verdict/reasons.js";
import { compressed } from "./jpeg.js";

const { QUALITIES, HALF, MIRRORED, JPEG, CUT_TIGHTER, TIGHTER, MAX_RESCORED, LARGEST, AROUND, BLOCK } =
  table.robustness;
const { MIN_FACE } = table.quality;

/**
 * A judged face and its scores after every change.
 * @typedef {object} Stability
 * @property {import("../detector.js").Face} face
 * @property {{name: string, p_fake: number, label: string}[]} rescores
 * @property {string[]} flips names of the changes that put the score of a decided face on the other side of 0.5
 */

/**
 * Score the most suspicious of the decided faces of a picture again.
 * @param {import("../model/model.js").Model} model
 * @param {import("../picture/pixels.js").Picture} picture as it was cut
 * @param {number} downscale pixels of the whole picture for one of these
 * @param {(import("../detector.js").Face & {side: number})[]} faces of its verdict
 * @param {(share: number) => void} progress
 * @returns {Promise<Stability[]>}
 */
export async function rescore(model, picture, downscale, faces, progress = () => {}) {
  const { unsure_band: band, looks } = model.metadata;
  const decided = faces.filter((face) => face.label !== UNSURE);
  const suspicious = decided.sort((a, b) => b.p_fake - a.p_fake).slice(0, MAX_RESCORED);
  const found = [];
  for (const face of suspicious) {
    const squares = face.framings.map((square) => downscaledSquare(square, downscale));
    const crops = variants(picture, squares, model.metadata);
    if (looks.mirrored) crops.delete(MIRRORED); // which the mean of the looks does not tell from the face as it is
    const chances = await model.chances([...crops.values()]);
    const rescores = [...crops.keys()].map((name, n) => {
      return { name, p_fake: chances[n], label: faceLabel(chances[n], face.side, band) };
    });
    found.push({ face, rescores, flips: flipsOf(face, rescores) });
    progress(found.length / suspicious.length);
  }
  return found;
}

function flipsOf(face, rescores) {
  const fair = rescores.filter(({ name }) => name !== HALF || face.side / 2 >= MIN_FACE);
  const turned = { [FAKE]: (p) => p < 0.5, [REAL]: (p) => p > 0.5 }[face.label] ?? (() => false);
  return fair.filter((again) => turned(again.p_fake)).map(({ name }) => name);
}

/** The verdict with every face that flipped made unsure, and with a sentence that says so. */
export function steady(verdict, stability, band) {
  const flipped = new Map(stability.filter(({ flips }) => flips.length).map(({ face, flips }) => [face, flips]));
  if (!flipped.size) return verdict;
  const faces = verdict.faces.map((face) => (flipped.has(face) ? { ...face, label: UNSURE, kind: null } : face));
  const { label } = decide(faces, band);
  const changes = [...new Set([...flipped.values()].flat())];
  const unstable = reason("unstable", sentence("FLIPS", changes.join(", ")));
  const before = verdict.reasons.filter(({ code }) => code !== "among_many_faces");
  return { ...verdict, label, faces, reasons: once([...before, ...remarks(faces, label, band), unstable]) };
}

/**
 * A face after each change, by the change's name, in all its framings.
 * @returns {Map<string, import("../picture/pixels.js").Picture[]>}
 */
function variants(picture, framings, { size, resampling }) {
  const turned = levelTogether(picture, framings, AROUND);
  let [around, squares] = surroundings(turned.level, turned.squares);
  const longest = Math.max(around.width, around.height);
  if (longest > LARGEST) [around, squares] = resized(around, squares, LARGEST / longest);
  const tighter = squares.map((square) => {
    const inset = TIGHTER * (square[2] - square[0]);
    return square.map((edge, n) => (n < 2 ? edge + inset : edge - inset));
  });
  const crops = (changed, regions) => regions.map((region) => cut(changed, region, size, resampling));
  return new Map([
    ...QUALITIES.map((quality) => [fill(JPEG, quality), crops(compressed(around, quality), squares)]),
    [HALF, crops(...resized(around, squares, 0.5))],
    [CUT_TIGHTER, crops(around, tighter)],
    [MIRRORED, crops(around, squares).map(mirrored)],
  ]);
}

/** The part of a picture that decides what JPEG and resizing make of squares in it, and the squares in that part. */
function surroundings(picture, squares) {
  const [left, top] = [0, 1].map((n) => {
    const first = Math.min(...squares.map((square) => square[n]));
    return Math.max(0, Math.floor(Math.trunc(first) / BLOCK) - 1) * BLOCK;
  });
  const [right, bottom] = [picture.width, picture.height].map((side, n) => {
    const last = Math.max(...squares.map((square) => square[n + 2]));
    return Math.min(side, (Math.floor(Math.trunc(last) / BLOCK) + 2) * BLOCK);
  });
  const moved = squares.map((square) => square.map((edge, n) => edge - (n % 2 ? top : left)));
  return [part(picture, left, top, right, bottom), moved];
}

function resized(picture, squares, scale) {
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, roundEven(side * scale)));
  const small = resize(picture, width, height, "lanczos");
  const [x, y] = [width / picture.width, height / picture.height];
  return [small, squares.map((square) => square.map((edge, n) => edge * (n % 2 ? y : x)))];
}
