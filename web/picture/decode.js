// A file -> pixels, by the browser's own decoders: upright, in sRGB's colours, transparency on white.

import { table } from "../table.js";
import { DetectError, sentence } from "../verdict/reasons.js";
import { downscaled } from "./area.js";
import { HEAD, described } from "./formats.js";
import { blank } from "./pixels.js";

const { MAX_BYTES, MAX_PIXELS, MIN_SIDE } = table.decode;
const { DETECTION_SIDE, COARSEST } = table.detector;

/**
 * A picture and what it is searched in.
 * @typedef {object} Opened
 * @property {import("./pixels.js").Picture} whole
 * @property {import("./pixels.js").Picture} pixels the whole, or a large JPEG at part of its size
 * @property {number} downscale pixels of the whole for one of these, each way: 1, 2, 4 or 8
 */

/**
 * @param {Blob | Uint8Array | import("./pixels.js").Picture} source
 * @returns {Promise<Opened>}
 * @throws {DetectError} it cannot be judged
 */
export async function open(source) {
  if (isPicture(source)) {
    checkSize(source.width, source.height);
    return { whole: source, pixels: source, downscale: 1 };
  }
  const blob = source instanceof Blob ? source : new Blob([source]);
  const begin = new Uint8Array(await readable(blob.slice(0, HEAD)));
  if (described(begin).kind === "video") throw new DetectError("unsupported_format", sentence("WEB_VIDEO"));
  if (blob.size > MAX_BYTES) throw new DetectError("file_too_large", sentence("TOO_MANY_BYTES"));
  if (!blob.size) throw new DetectError("empty_file", sentence("EMPTY"));
  const { kind, size } = described(new Uint8Array(await readable(blob)));
  if (!kind) throw new DetectError("unsupported_format", sentence("WEB_UNKNOWN"));
  if (size) checkSize(...size);
  const whole = await decoded(blob, kind);
  const downscale = kind === "jpeg" ? downscaleOf(whole) : 1;
  return { whole, pixels: downscale > 1 ? downscaled(whole, downscale) : whole, downscale };
}

const isPicture = (source) =>
  source?.data instanceof Uint8Array && source.data.length === 3 * source.width * source.height;

async function readable(blob) {
  try {
    return await blob.arrayBuffer();
  } catch {
    throw new DetectError("unreadable", sentence("WEB_UNREADABLE")); // it was moved or changed
  }
}

function checkSize(width, height) {
  if (width * height > MAX_PIXELS)
    throw new DetectError("too_large", sentence("TOO_LARGE", Math.floor(MAX_PIXELS / 1e6)));
  if (Math.min(width, height) < MIN_SIDE)
    throw new DetectError("too_small", sentence("TOO_FEW_PIXELS", width, height, MIN_SIDE));
}

async function decoded(blob, kind) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image", premultiplyAlpha: "none" });
  } catch (error) {
    if (error instanceof ReferenceError) throw error;
    if (kind === "tiff" || kind === "heic") throw new DetectError("unsupported_format", sentence("WEB_FORMAT"));
    throw new DetectError("damaged", sentence("DAMAGED"));
  }
  try {
    checkSize(bitmap.width, bitmap.height);
    return pixelsOf(bitmap);
  } finally {
    bitmap.close();
  }
}

/** Strip by strip, as each step would hold a copy of the picture. */
function pixelsOf(bitmap) {
  const { width, height } = bitmap;
  const result = blank(width, height);
  const { data: pixels } = result;
  const rows = Math.min(height, Math.max(1, Math.ceil(2 ** 20 / width)));
  const canvas = new OffscreenCanvas(width, rows);
  const context = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top);
    context.fillStyle = "white";
    context.fillRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, -top);
    // Four bytes at a time: red is the lowest of each number, as on all devices that browsers run on.
    const colours = new Uint32Array(context.getImageData(0, 0, width, count).data.buffer);
    for (let n = 0, to = top * width * 3; n < colours.length; n++, to += 3) {
      pixels[to] = colours[n];
      pixels[to + 1] = colours[n] >> 8;
      pixels[to + 2] = colours[n] >> 16;
    }
  }
  return result;
}

/** How far a large JPEG is downscaled before faces are looked for: as libjpeg could decode it. */
function downscaleOf({ width, height }) {
  const side = Math.max(width, height);
  const longest = Math.max(DETECTION_SIDE, Math.floor(side / COARSEST));
  const wanted = [width, height].map((length) => Math.max(1, Math.floor((length * longest) / side)));
  const scale = Math.min(Math.floor(width / wanted[0]), Math.floor(height / wanted[1]));
  return [8, 4, 2].find((downscale) => downscale <= scale) ?? 1;
}
