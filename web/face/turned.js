// Turned copies of a picture, and what is found in them as faces of the picture.

import { clamp, roundEven } from "../picture/pixels.js";
import { inverted, rotation, warp } from "../picture/warp.js";
import { table } from "../table.js";
import { rowCentre } from "./yunet.js";

const { SCORE } = table.yunet;

/** A picture turned anticlockwise by degrees, whole, and the map from its pixels back. */
export function turnedCopy(picture, turn) {
  const { width, height } = picture;
  const onto = rotation((width - 1) / 2, (height - 1) / 2, turn, 1);
  const [w, h] = [onto.slice(0, 2), onto.slice(3, 5)].map(([a, b]) =>
    roundEven(Math.abs(a) * width + Math.abs(b) * height),
  );
  onto[2] += (w - width) / 2;
  onto[5] += (h - height) / 2;
  return { turned: warp(picture, onto, w, h, "linear", "constant"), back: inverted(onto) };
}

/** A row of a turned copy as a face of the picture: around the same centre, as long along each of its sides. */
export function turnedBack(row, back, turn, scale, { width, height }) {
  const onto = ([u, v]) => [
    (back[0] * u + back[1] * v + back[2]) * scale[0],
    (back[3] * u + back[4] * v + back[5]) * scale[1],
  ];
  const [x, y] = onto(rowCentre(row));
  const share = Math.sin((turn * Math.PI) / 180) ** 2;
  const across = ((1 - share) * row[2] + share * row[3]) * scale[0];
  const down = (share * row[2] + (1 - share) * row[3]) * scale[1];
  const left = clamp(Math.floor(x - across / 2), 0, width - 1);
  const top = clamp(Math.floor(y - down / 2), 0, height - 1);
  const right = clamp(Math.ceil(x + across / 2), left + 1, width);
  const bottom = clamp(Math.ceil(y + down / 2), top + 1, height);
  const landmarks = [4, 6, 8, 10, 12].map((n) => onto([row[n], row[n + 1]]));
  return { box: [left, top, right, bottom], score: Math.min(1, row[SCORE]), landmarks, angle: 0, frame: null };
}
