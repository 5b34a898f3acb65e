// A face's tilt in the plane, so that it can be cut level.

import { table } from "../table.js";
import { clamp, roundEven } from "../picture/pixels.js";
import { placeOf, turnedLook } from "./second_look.js";
import { rowSide } from "./yunet.js";

const { LEVEL, SIDES, GAIN, LOSS, MAX_SKEW, MIN_EYES, STEPS, MIN_SIDE, UPRIGHT, FINEST } = table.tilt;
const { SURE, CUT_OFF } = table.second_look;
const { SCORE } = table.yunet;

const degrees = (y, x) => (Math.atan2(y, x) * 180) / Math.PI;
const remainder = (value, by) => ((value % by) + by) % by;
export const faceSide = ({ box: [left, top, right, bottom] }) => Math.max(right - left, bottom - top);

/** The face with its `angle`, and, where it lies on its side or upside down, with the box and landmarks of a look at it
 * that is turned level. */
export async function levelled(yunet, picture, face) {
  const side = faceSide(face);
  const seen = eyeAngle(face.landmarks, side);
  const doubted = face.score < SURE && !isCutOff(face, picture);
  if (side < MIN_SIDE || (!doubted && seen !== null && Math.abs(seen) <= LEVEL)) return face;
  const [left, top, right, bottom] = face.box;
  const centre = [(left + right) / 2, (top + bottom) / 2];
  let start = seen ?? 0;
  const place = placeOf(picture, centre, side);
  if (doubted) {
    const scores = new Map();
    for (const turn of [start, ...SIDES]) {
      if (scores.has(turn)) continue;
      const row = await turnedLook(yunet, place, turn);
      scores.set(turn, row ? row[SCORE] : 0);
    }
    let best = start;
    for (const [turn, score] of scores) if (score > scores.get(best)) best = turn;
    if (scores.get(best) > scores.get(start) + GAIN && scores.get(best) > face.score - LOSS) start = best;
  }
  const [angle, row] = await byEyes(yunet, place, start);
  if (!row || Math.abs(angle) <= LEVEL) return face;
  if (Math.abs(angle) < UPRIGHT) return { ...face, angle };
  return turnedLevel(face, row, centre, angle, picture);
}

/** Whether the picture's edge cuts a face off, which alone makes YuNet less sure of it. */
export function isCutOff({ score, box: [left, top, right, bottom] }, { width, height }) {
  return score >= CUT_OFF && (Math.min(left, top) <= 0 || right >= width || bottom >= height);
}

/** Degrees clockwise, -180..180, by which a face is tilted, to FINEST, by its landmarks; null where they say nothing of
 * it. */
export function eyeAngle([rightEye, leftEye, , ...mouth], side) {
  const eyes = [leftEye[0] - rightEye[0], leftEye[1] - rightEye[1]];
  const down = [0, 1].map((n) => (mouth[0][n] + mouth[1][n]) / 2 - (rightEye[n] + leftEye[n]) / 2);
  const [angle, byMouth] = [degrees(eyes[1], eyes[0]), degrees(-down[0], down[1])];
  const skew = Math.abs(remainder(angle - byMouth + 180, 360) - 180);
  return skew > MAX_SKEW || Math.hypot(...eyes) < MIN_EYES * side ? null : roundEven(angle / FINEST) * FINEST;
}

/** A row's five landmarks. */
const landmarksOf = (row) => [0, 1, 2, 3, 4].map((n) => [row[4 + 2 * n], row[5 + 2 * n]]);

/** The angle, -180..180, at which the eyes are level, and the row of the look at that; null where they never are. */
async function byEyes(yunet, place, angle) {
  let row = null;
  for (let step = 0; step < STEPS; step++) {
    row = await turnedLook(yunet, place, angle);
    const more = row && eyeAngle(landmarksOf(row), rowSide(row));
    if (more === null) return [angle, null];
    angle = remainder(angle + more + 180, 360) - 180;
    if (Math.abs(more) < LEVEL / 2) break;
  }
  return [angle, row];
}

/** The face with box and landmarks of a turned look's row. */
function turnedLevel(face, row, centre, angle, { width, height }) {
  const turn = (angle * Math.PI) / 180;
  const back = ([x, y]) => [
    Math.cos(turn) * x - Math.sin(turn) * y + centre[0],
    Math.sin(turn) * x + Math.cos(turn) * y + centre[1],
  ];
  const [x, y] = back([row[0] + row[2] / 2, row[1] + row[3] / 2]);
  const share = Math.sin(turn) ** 2; // upright its height, on its side its width
  const across = ((1 - share) * row[2] + share * row[3]) / 2;
  const down = (share * row[2] + (1 - share) * row[3]) / 2;
  const [left, top] = [clamp(Math.floor(x - across), 0, width - 1), clamp(Math.floor(y - down), 0, height - 1)];
  const right = clamp(Math.ceil(x + across), left + 1, width);
  const bottom = clamp(Math.ceil(y + down), top + 1, height);
  return { ...face, box: [left, top, right, bottom], landmarks: landmarksOf(row).map(back), angle };
}
