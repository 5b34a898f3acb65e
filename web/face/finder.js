// Picture -> faces: where YuNet is asked, at which scales and turns, and what of its answers is believed.
// The stages and their reasons are those of deepfake_detect/face/finder.py.

import { shrink } from "../picture/area.js";
import { clamp, part, roundEven } from "../picture/pixels.js";
import { table } from "../table.js";
import { content } from "./border.js";
import { confirmed, isFace, isUpright, screened } from "./second_look.js";
import { faceSide, isCutOff, levelled } from "./tilt.js";
import { turnedBack, turnedCopy } from "./turned.js";
import { moveRow, rowSide } from "./yunet.js";

const { COARSE_SIDE, FINE_SIDE, PORTRAIT_SHARE, STRIP, OVERLAP, MIN_SCORE, MIN_FACE, NEARLY, MIN_PLACE } = table.finder;
const { REDUCED_EVIDENCE_SIDE, EVIDENCE_SIDE, EVIDENCE, FAINT_SIDE, MAX_PLACES, MAX_EVIDENCE } = table.finder;
const { STEADY_SIDE, CREDIBLE, GAIN, TURNS, SAME } = table.finder;
const { CLEAR } = table.second_look;
const { SCORE } = table.yunet;
const f = Math.fround;

/**
 * One face: box and landmarks in pixels of the picture.
 * @typedef {object} FoundFace
 * @property {number[]} box left, top, right, bottom
 * @property {number} score confidence of the finder, 0..1
 * @property {number[][]} landmarks right eye, left eye, nose tip, right and left mouth corner
 * @property {number} angle degrees clockwise by which the head is tilted; 0 where that is little
 * @property {number[] | null} frame the picture inside its plain borders; null: all of it
 */

/**
 * The faces of a picture, largest first, and how many places that might be small faces were not looked at.
 * @param {import("./yunet.js").Yunet} yunet
 * @param {import("../picture/pixels.js").Picture} picture
 * @param {number} downscale pixels of the original for one of these
 * @returns {Promise<{faces: FoundFace[], placesDropped: number}>}
 */
export async function search(yunet, picture, downscale) {
  const frame = content(picture);
  const inner = part(picture, ...frame);
  let { faces, placesDropped } = await upright(yunet, inner, downscale);
  if (!(await anyCredible(yunet, inner, faces))) faces = await withTurned(yunet, inner, faces);
  const level = [];
  for (const face of faces) level.push(await levelled(yunet, inner, face));
  const moved = inner === picture ? level : level.map((face) => inFrame(face, frame));
  return { faces: moved.sort((a, b) => faceSide(b) - faceSide(a)), placesDropped };
}

function inFrame(face, frame) {
  const [left, top] = frame;
  const box = face.box.map((edge, n) => edge + (n % 2 ? top : left));
  return { ...face, box, landmarks: face.landmarks.map(([x, y]) => [x + left, y + top]), frame };
}

async function anyCredible(yunet, picture, faces) {
  for (const face of faces) {
    if (face.score >= CREDIBLE || isCutOff(face, picture)) return true;
    const portrait = faceSide(face) >= PORTRAIT_SHARE * Math.max(picture.width, picture.height);
    if (portrait && (await isUpright(yunet, picture, face.box))) return true;
  }
  return false;
}

async function upright(yunet, picture, downscale) {
  const longest = Math.max(picture.width, picture.height);
  const { small, scale } = shrunk(picture, COARSE_SIDE);
  const [faces, evidence] = [[], []];
  for (const row of await yunet.rows(small, Math.min(EVIDENCE, MIN_SCORE))) {
    // The box of a clear one has been drawn on all the pixels there are.
    const steady = rowSide(row) >= STEADY_SIDE || (row[SCORE] >= f(CLEAR) && small === picture);
    if (!steady || row[SCORE] < f(MIN_SCORE)) evidence.push(row);
    else if (await isFace(yunet, small, row)) faces.push(faceOf(row, scale, picture));
  }
  let places = scaled(evidence.filter(isSmall), scale);
  const portrait = faces.some((face) => faceSide(face) >= PORTRAIT_SHARE * longest);
  const evidenceSide = downscale === 1 ? EVIDENCE_SIDE : REDUCED_EVIDENCE_SIDE;
  const needed = longest * Math.min(1, (evidenceSide * downscale) / MIN_FACE);
  const fine = Math.min(longest, Math.max(needed, portrait ? 0 : FINE_SIDE));
  if (fine > COARSE_SIDE && (!portrait || needed > COARSE_SIDE * NEARLY))
    places = [...places, ...(await strips(yunet, picture, roundEven(fine)))];
  const tooMany = Math.max(0, places.length - MAX_EVIDENCE);
  if (tooMany) places = [...places].sort((a, b) => b[SCORE] - a[SCORE]).slice(0, MAX_EVIDENCE);
  const { rows, placesDropped } = worthALook(apart(places, faces), downscale);
  const seen = await screened(yunet, picture, rows);
  let again = [];
  for (const row of rows.filter((row, n) => row[SCORE] >= f(MIN_SCORE) || seen[n])) {
    const better = await confirmed(yunet, picture, row);
    if (better && better[SCORE] >= f(MIN_SCORE)) again.push(better);
  }
  again = apart(again, faces).map((row) => faceOf(row, [1, 1], picture));
  return { faces: [...faces, ...again], placesDropped: placesDropped + tooMany };
}

/** Of rows, the most confident first, those to be looked at again, and how many weak ones are beyond MAX_PLACES. */
function worthALook(rows, downscale) {
  const isStrong = (row) => row[SCORE] >= f(MIN_SCORE);
  const large = rows.filter((row) => isStrong(row) || f(rowSide(row) * downscale) >= MIN_PLACE);
  let weak = 0;
  const kept = large.filter((row) => isStrong(row) || ++weak <= MAX_PLACES);
  return { rows: kept, placesDropped: large.length - kept.length };
}

/** Not faint evidence of what is no small face: of a large one YuNet would be sure. */
const isSmall = (row) => row[SCORE] >= f(MIN_SCORE) || rowSide(row) <= FAINT_SIDE;

/** Rows in pixels of the picture, from a copy of this longest side that is searched in overlapping strips. */
async function strips(yunet, picture, side) {
  const { small: copy, scale } = shrunk(picture, side);
  const wide = copy.width >= copy.height;
  const [length, across] = wide ? [copy.width, copy.height] : [copy.height, copy.width];
  const count = Math.max(1, roundEven((length * across) / STRIP));
  const step = Math.ceil(length / count);
  const found = [];
  for (let start = 0; start < count * step; start += step) {
    const begin = Math.max(0, start - OVERLAP / 2);
    const end = Math.min(length, start + step + OVERLAP / 2);
    const strip = wide ? part(copy, begin, 0, end, copy.height) : part(copy, 0, begin, copy.width, end);
    const rows = (await yunet.rows(strip, Math.min(EVIDENCE, MIN_SCORE))).filter(isSmall);
    rows.forEach((row) => moveRow(row, wide ? begin : 0, wide ? 0 : begin));
    found.push(...rows);
  }
  return scaled(found, scale);
}

/** The faces, and those that turned copies show; where both show one, the surer counts. */
async function withTurned(yunet, picture, faces) {
  const { small, scale } = shrunk(picture, COARSE_SIDE);
  const found = [];
  for (const turn of TURNS) {
    const { turned, back } = turnedCopy(small, turn);
    for (const row of await yunet.rows(turned, MIN_SCORE))
      if (await isFace(yunet, turned, row)) found.push(turnedBack(row, back, turn, scale, picture));
  }
  const kept = [];
  const isNew = (face) => !kept.some((other) => overlap(face.box, other.box));
  for (const face of found.sort((a, b) => b.score - a.score)) {
    const rivals = faces.filter((other) => overlap(face.box, other.box)).map((other) => other.score);
    const surer = face.score > Math.max(0, ...rivals) + (rivals.length ? GAIN : 0);
    if (surer && isNew(face)) kept.push(face);
  }
  return [...kept, ...faces.filter(isNew)];
}

/** A copy whose longest side is at most so many pixels, and pixels of the picture for one of its, [x, y]. */
function shrunk(picture, side) {
  const { width, height } = picture;
  const share = Math.min(1, side / Math.max(width, height));
  if (share >= 1) return { small: picture, scale: [1, 1] };
  const [w, h] = [width, height].map((length) => Math.max(1, roundEven(length * share)));
  return { small: shrink(picture, w, h), scale: [width / w, height / h] };
}

/** Rows in pixels of a copy -> in pixels of the picture. */
function scaled(rows, scale) {
  return rows.map((row) => row.map((value, n) => (n === SCORE ? value : value * f(scale[n % 2]))));
}

/** A row in pixels of a copy as a face of the picture. */
function faceOf(row, [x, y], { width, height }) {
  const left = clamp(Math.floor(row[0] * x), 0, width - 1);
  const top = clamp(Math.floor(row[1] * y), 0, height - 1);
  const right = clamp(Math.ceil(f(row[0] + row[2]) * x), left + 1, width);
  const bottom = clamp(Math.ceil(f(row[1] + row[3]) * y), top + 1, height);
  const landmarks = [4, 6, 8, 10, 12].map((n) => [row[n] * x, row[n + 1] * y]);
  return { box: [left, top, right, bottom], score: Math.min(1, row[SCORE]), landmarks, angle: 0, frame: null };
}

/** Rows without those on one of the faces, or on a more confident row. */
function apart(rows, faces) {
  const kept = [];
  for (const row of [...rows].sort((a, b) => b[SCORE] - a[SCORE])) {
    const box = [row[0], row[1], f(row[0] + row[2]), f(row[1] + row[3])];
    const rivals = [...faces, ...kept];
    if (!rivals.some((other) => overlap(box, other.box))) kept.push({ row, box });
  }
  return kept.map(({ row }) => row);
}

/** Whether two boxes are of one face: what they share is much of the smaller one, as evidence around a face is no face
 * beside it. */
function overlap(one, other) {
  const [across, down] = [0, 1].map((n) => Math.min(one[n + 2], other[n + 2]) - Math.max(one[n], other[n]));
  const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
  return across > 0 && down > 0 && across * down > SAME * Math.min(area(one), area(other));
}
