// What the faces of a picture say together; the rule and its reasons are those of deepfake_detect/crowd.py.

import { table } from "../table.js";
import { fill, reason, sentence } from "./reasons.js";

const { MIN_FACE } = table.quality;
const { ALONE } = table.crowd;

export const [REAL, FAKE, UNSURE] = ["real", "fake", "unsure"];

/** A chance as it is, if it is one: NaN is neither above nor below anything, which would make it "real". */
export function chance(pFake) {
  if (!(pFake >= 0 && pFake <= 1)) throw new RangeError(`the network gives ${pFake} as a chance`);
  return pFake;
}

/** The label of a probability, for the unsure band [low, high]. */
export function labelOf(pFake, [low, high]) {
  if (chance(pFake) >= high) return FAKE;
  return pFake > low ? UNSURE : REAL;
}

export const tooSmall = (side) => side < MIN_FACE;

/** The label of one face: "unsure" for "fake" where it is too small to judge. */
export function faceLabel(pFake, side, band) {
  const label = labelOf(pFake, band);
  return label === FAKE && tooSmall(side) ? UNSURE : label;
}

/** The next number of 64 bits above or below one that is positive. */
function next(value, up) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (up ? 1n : -1n));
  return view.getFloat64(0);
}

/**
 * The label of a picture and its chance of being fake.
 * @param {{p_fake: number, label: string, side: number}[]} faces at least one
 * @param {number[]} band
 */
export function decide(faces, band) {
  const [low, high] = band;
  const worst = Math.max(...faces.map((face) => chance(face.p_fake)));
  const large = faces.filter((face) => !tooSmall(face.side));
  const counted = large.length ? large : faces;
  const below = next(high, false);
  const notReal = Math.min(low > 0 ? next(low, true) : Number.MIN_VALUE, below);
  const pFake = Math.max(
    together(
      counted.map((face) => face.p_fake),
      high,
    ),
    Math.min(worst, notReal),
  );
  const weights = counted.map((face) => (face.label === FAKE ? face.p_fake : Math.min(face.p_fake, below)));
  if (together(weights, high) >= high) return { label: FAKE, pFake };
  return { label: faces.every((face) => face.label === REAL) ? REAL : UNSURE, pFake };
}

/** The chance that a picture is fake, from those of its faces: the mean of the odds, in which each counts with at most
 * ALONE times those of `high`, or their geometric mean if that is more. */
export function together(chances, high) {
  const p = [...chances].sort((a, b) => a - b);
  if (p.length === 1) return p[0];
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const logOdds = p.map((value) => Math.log(value) - Math.log1p(-value));
  const most = Math.log(ALONE) + Math.log(high) - Math.log1p(-high);
  const arithmetic = Math.log(mean(logOdds.map((value) => Math.exp(Math.min(value, most)))));
  const both = 1 / (1 + Math.exp(-Math.max(arithmetic, mean(logOdds))));
  return Math.min(Math.max(both, p[0]), p[p.length - 1]);
}

/** Why a picture of this label is not called fake for faces that look so. */
export function remarks(faces, label, band) {
  if (label === FAKE) return [];
  const fakes = faces.filter((face) => face.label === FAKE).length;
  const counted = faces.filter((face) => !tooSmall(face.side)).length;
  const small = faces.some((face) => tooSmall(face.side) && labelOf(face.p_fake, band) === FAKE);
  const found = [];
  if (fakes) {
    const subject = fakes === 1 ? table.crowd.ONE : table.crowd.SEVERAL;
    const words = subject.map((word) => fill(word, fakes));
    found.push(reason("among_many_faces", sentence("MANY", ...words, counted)));
  }
  if (small) found.push(reason("face_too_small", sentence("SMALL")));
  return found;
}
