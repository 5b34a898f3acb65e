// Is it a face? YuNet asked again, on windows in which what it found has a size and place of their own choosing.

import { shrink } from "../picture/area.js";
import { blank, clamp, mirrored, part, paste, roundEven } from "../picture/pixels.js";
import { rotation, warp } from "../picture/warp.js";
import { table } from "../table.js";
import { moveRow, rowCentre, rowSide } from "./yunet.js";

const { SURE, FILLED, LOOKS, DOUBTED, CUT_OFF, CONFIRMED, CLEAR, SCREEN_SIDE, SCREENED } = table.second_look;
const { TURNED_SIDE, ROOM, FAINTEST, OFF_CENTRE, SIZES, SHRUNK, REACH } = table.second_look;
const { SCORE } = table.yunet;
const f = Math.fround;

/** Whether a large face in a picture, a row of `Yunet.rows`, is plausible. */
export async function isFace(yunet, picture, row) {
  const side = rowSide(row);
  if (row[SCORE] >= SURE || side >= FILLED * Math.max(picture.width, picture.height)) return true;
  const [left, top] = row;
  const [right, bottom] = [f(left + row[2]), f(top + row[3])];
  const cutOff = Math.min(left, top) <= 1 || right >= picture.width - 1 || bottom >= picture.height - 1;
  const needed = cutOff && row[SCORE] >= CUT_OFF ? 1 : 2;
  let agreed = 0;
  for (let number = 1; number <= LOOKS.length; number++) {
    const seen = await look(yunet, picture, rowCentre(row), side, ...LOOKS[LOOKS.length - number]);
    if (seen.score >= DOUBTED) agreed += 1;
    if (agreed >= needed || agreed + LOOKS.length - number < needed) break;
  }
  return agreed >= needed;
}

/** Whether a face is beyond doubt as it stands: at another size YuNet is as sure as of a small face that is one. */
export async function isUpright(yunet, picture, [left, top, right, bottom]) {
  const centre = [(left + right) / 2, (top + bottom) / 2];
  const seen = await look(yunet, picture, centre, Math.max(right - left, bottom - top), ...LOOKS[0]);
  return seen.score >= CONFIRMED;
}

/** A small face's row as an enlarged look has it; null where it is no face. */
export async function confirmed(yunet, picture, row) {
  const last = await look(yunet, picture, rowCentre(row), rowSide(row), ...LOOKS[LOOKS.length - 1]);
  if (row[SCORE] >= CLEAR) return last.score < DOUBTED ? row : last.row;
  if (!last.row) return null;
  // What was faint may have been framed badly: the others look at where the face is by now.
  let sum = last.score;
  for (const other of LOOKS.slice(0, -1))
    sum += (await look(yunet, picture, rowCentre(last.row), rowSide(last.row), ...other)).score;
  return sum / LOOKS.length >= CONFIRMED ? last.row : null;
}

/** Which places look like a face when they are enlarged; all on one canvas. @returns {Promise<boolean[]>} */
export async function screened(yunet, picture, rows) {
  const passed = rows.map(() => false);
  if (!rows.length) return passed;
  const cell = ROOM * SCREEN_SIDE;
  const beside = Math.max(1, Math.ceil(Math.sqrt(rows.length)));
  const canvas = blank(cell * beside, cell * Math.ceil(rows.length / beside));
  rows.forEach((row, number) => {
    const { window } = windowOf(picture, rowCentre(row), rowSide(row), SCREEN_SIDE);
    paste(canvas, window, cell * (number % beside), cell * Math.floor(number / beside));
  });
  for (const seen of await yunet.rows(canvas, SCREENED)) {
    const centre = rowCentre(seen);
    const [column, line] = centre.map((place) => Math.trunc(Math.floor(place / cell)));
    const number = line * beside + column;
    if (column < 0 || column >= beside || number < 0 || number >= rows.length) continue;
    passed[number] ||= inPlace(centre[0] - (column + 0.5) * cell, centre[1] - (line + 0.5) * cell, seen, SCREEN_SIDE);
  }
  return passed;
}

/** The score of the best face in the middle of a window, and its row in pixels of the picture (of windows that are not
 * mirrored); 0 and null without one. */
async function look(yunet, picture, centre, side, size, mirror) {
  const { window, corner, scale } = windowOf(picture, centre, side, size);
  const middle = (ROOM * size) / 2;
  for (const row of await yunet.rows(mirror ? mirrored(window) : window, FAINTEST)) {
    const [x, y] = rowCentre(row);
    if (!inPlace(x - middle, y - middle, row, size)) continue;
    const found = row.slice();
    for (let n = 0; n < SCORE; n++) found[n] *= scale;
    moveRow(found, ...corner);
    return { score: row[SCORE], row: found };
  }
  return { score: 0, row: null };
}

/**
 * A face and what is around it, at a size at which it can be looked at from any side.
 * @returns {{pixels: import("../picture/pixels.js").Picture, centre: number[], scale: number, shrink: number}}
 */
export function placeOf(picture, centre, side) {
  const scale = side / TURNED_SIDE;
  if (scale <= SHRUNK) return { pixels: picture, centre, scale, shrink: 1 }; // `warp` does not average what it shrinks
  const reach = side * ROOM * REACH;
  const [left, top] = centre.map((place) => Math.max(Math.floor(place - reach), 0));
  const [right, bottom] = [picture.width, picture.height].map((end, n) => Math.min(end, Math.ceil(centre[n] + reach)));
  const around = part(picture, left, top, right, bottom);
  const share = 1 / scale;
  const [width, height] = [around.width, around.height].map((length) => roundEven(length * share));
  const pixels = shrink(around, width, height, 3, 1 / share);
  return { pixels, centre: [(centre[0] - left) * share, (centre[1] - top) * share], scale, shrink: share };
}

/** The face in the middle of a window that is turned anticlockwise by degrees: its row with sizes and landmarks in the
 * window's directions, in pixels of the picture from the face's own centre; null without one. */
export async function turnedLook(yunet, place, angle) {
  const size = ROOM * TURNED_SIDE;
  const [x, y] = place.centre;
  const onto = rotation(x - 0.5, y - 0.5, angle, 1 / (place.scale * place.shrink));
  onto[2] += size / 2 - x;
  onto[5] += size / 2 - y;
  const window = warp(place.pixels, onto, size, size, place.scale > 1 ? "linear" : "cubic", "replicate");
  for (const row of await yunet.rows(window, FAINTEST)) {
    const centre = rowCentre(row);
    if (!inPlace(centre[0] - size / 2, centre[1] - size / 2, row, TURNED_SIDE)) continue;
    const found = row.slice();
    moveRow(found, -size / 2, -size / 2);
    for (let n = 0; n < SCORE; n++) found[n] *= place.scale;
    return found;
  }
  return null;
}

function inPlace(x, y, row, size) {
  const share = rowSide(row) / size;
  return Math.max(Math.abs(x), Math.abs(y)) < OFF_CENTRE * size && SIZES[0] < share && share < SIZES[1];
}

/** The square around a face in which it is `size` pixels large, where its corner is in the picture, and pixels of that
 * for one of it; the picture's edge is continued. */
function windowOf(picture, centre, side, size) {
  const whole = ROOM * size;
  const scale = side / size;
  const corner = centre.map((place) => place - (side * ROOM) / 2);
  if (scale > SHRUNK) {
    const [left, top] = corner.map(Math.floor); // `warp` does not average what it shrinks
    const [right, bottom] = corner.map((place) => Math.ceil(place + side * ROOM));
    const around = continued(picture, left, top, right, bottom);
    return { window: shrink(around, whole, whole), corner: [left, top], scale: around.width / whole };
  }
  // Whole numbers are the centres of pixels in it, and their corners here.
  const [x, y] = corner.map((place) => 0.5 / scale - 0.5 - place / scale);
  const onto = [1 / scale, 0, x, 0, 1 / scale, y];
  return { window: warp(picture, onto, whole, whole, scale > 1 ? "linear" : "cubic", "replicate"), corner, scale };
}

/** A part of a picture that may reach beyond it, where its edge is repeated. */
function continued(picture, left, top, right, bottom) {
  const result = blank(right - left, bottom - top);
  for (let y = 0; y < result.height; y++)
    for (let x = 0; x < result.width; x++) {
      const column = clamp(left + x, 0, picture.width - 1);
      const from = (clamp(top + y, 0, picture.height - 1) * picture.width + column) * 3;
      for (let c = 0; c < 3; c++) result.data[(y * result.width + x) * 3 + c] = picture.data[from + c];
    }
  return result;
}
