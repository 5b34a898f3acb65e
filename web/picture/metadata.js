// A file's bytes -> the blocks in which it says something of itself: EXIF, XMP, PNG text, Content Credentials.
// What is read, and how much of it at most, is that of deepfake_detect/picture/embedded_metadata.py; HEIC is not read.

import { table } from "../table.js";
import { readTags } from "./exif.js";

const { MAX_BLOCKS, MAX_TEXT, KEYWORDS, XMP_KEYWORD, XMP_MARK, EXIF_MARK, C2PA_TYPE } = table.embedded_metadata;
const { XMP } = table.exif;
const [APP1, APP11, SCAN, FILL] = [0xffe1, 0xffeb, 0xffda, 0xffff];
const PIECE = 8192; // bytes made text at a time
const NONE = new Uint8Array(0);

/**
 * @typedef {object} Blocks what was found; empty where there is none. Text has one character a byte.
 * @property {Uint8Array} exif from the byte order on
 * @property {string} xmp
 * @property {Record<string, string>} texts PNG text by keyword
 * @property {string} credentials a C2PA manifest store
 */

/** Bytes as text of one character each, so that the patterns of the Python side, which are of bytes, can be used. */
export function textOf(bytes) {
  const parts = [];
  for (let start = 0; start < bytes.length; start += PIECE)
    parts.push(String.fromCharCode(...bytes.subarray(start, start + PIECE)));
  return parts.join("");
}

const begins = (bytes, mark) => textOf(bytes.subarray(0, mark.length)) === mark;
const behind = (bytes, mark) => (begins(bytes, mark) ? bytes.subarray(mark.length) : bytes);

/**
 * The blocks of a JPEG, PNG, WebP or TIFF file; null of a file of any other kind, which is not read.
 * @param {Uint8Array} bytes the whole file
 * @returns {Promise<Blocks | null>}
 */
export async function readBlocks(bytes) {
  const blocks = { exif: NONE, xmp: "", texts: {}, credentials: "" };
  if (begins(bytes, "\xff\xd8\xff")) return { ...blocks, ...ofJpeg(bytes) };
  if (begins(bytes, "\x89PNG\r\n\x1a\n")) return { ...blocks, ...(await ofPng(bytes)) };
  if (begins(bytes, "RIFF") && begins(bytes.subarray(8), "WEBP")) return { ...blocks, ...ofWebp(bytes) };
  if (begins(bytes, "II*\0") || begins(bytes, "MM\0*"))
    return { ...blocks, exif: bytes, xmp: textOf(readTags(bytes, [XMP], MAX_TEXT).get(XMP) ?? NONE) };
  return null;
}

function ofJpeg(bytes) {
  let [exif, xmp] = [NONE, ""];
  const boxes = new Map(); // by the number of the box, which long ones share over several segments
  for (const [marker, body] of segments(bytes)) {
    if (marker === APP1 && begins(body, EXIF_MARK)) exif = exif.length ? exif : behind(body, EXIF_MARK);
    else if (marker === APP1 && begins(body, XMP_MARK)) xmp ||= textOf(behind(body, XMP_MARK));
    else if (marker === APP11 && begins(body, "JP")) {
      // 8 bytes of numbering; from a box's second segment on, its head, 8 bytes, is said again
      const number = textOf(body.subarray(2, 4));
      const parts = boxes.get(number) ?? [];
      boxes.set(number, [...parts, textOf(body.subarray(parts.length ? 16 : 8))]);
    }
  }
  return { exif, xmp, credentials: [...boxes.values()].map((parts) => manifest(parts.join(""))).join("") };
}

/** Marker and body of each segment of a JPEG file before its pixels. */
function* segments(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2, n = 0; n < MAX_BLOCKS && at + 4 <= bytes.length; n++) {
    const [marker, length] = [view.getUint16(at), view.getUint16(at + 2)];
    if (marker === FILL) {
      at += 1;
      continue;
    }
    if (marker < 0xffc0 || marker === SCAN) return;
    yield [marker, bytes.subarray(at + 4, at + 2 + length)];
    at += 2 + length;
  }
}

async function ofPng(bytes) {
  let [exif, credentials] = [NONE, ""];
  const texts = {};
  for (const [kind, body] of chunks(bytes, 8, true)) {
    if (kind === "eXIf") exif = exif.length ? exif : behind(body, EXIF_MARK);
    else if (kind === "caBX") credentials ||= manifest(textOf(body));
    else if (["tEXt", "zTXt", "iTXt"].includes(kind)) {
      const keyword = textOf(body.subarray(0, 80)).split("\0", 1)[0];
      if (!Object.hasOwn(texts, keyword) && (KEYWORDS.includes(keyword) || keyword === XMP_KEYWORD))
        texts[keyword] = await unpacked(kind, body.subarray(keyword.length + 1));
    }
  }
  const { [XMP_KEYWORD]: xmp = "", ...others } = texts;
  return { exif, xmp, texts: others, credentials };
}

/** The text of a PNG chunk, from what follows its keyword. */
async function unpacked(kind, rest) {
  if (kind === "tEXt") return textOf(rest.subarray(0, MAX_TEXT));
  if (kind === "zTXt") return inflated(rest.subarray(1));
  // iTXt: whether it is packed, how, language, keyword in that language, text
  const language = rest.indexOf(0, 2);
  const own = language < 0 ? -1 : rest.indexOf(0, language + 1);
  const text = own < 0 ? NONE : rest.subarray(own + 1);
  return rest[0] === 1 ? inflated(text) : textOf(text.subarray(0, MAX_TEXT));
}

/** The first MAX_TEXT bytes of what zlib packed; of what is damaged or cut short, what could be read. */
async function inflated(packed) {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const parts = [];
  let size = 0;
  try {
    while (size < MAX_TEXT) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(textOf(value));
      size += value.length;
    }
    await reader.cancel();
  } catch {
    // Only the stream can fail here, on bytes that are not zlib's; browsers and Node.js have different errors for it.
  }
  return parts.join("").slice(0, MAX_TEXT);
}

function ofWebp(bytes) {
  const found = {};
  for (const [kind, body] of chunks(bytes, 12, false))
    if (["EXIF", "XMP ", "C2PA"].includes(kind)) found[kind] ??= body;
  return {
    exif: behind(found.EXIF ?? NONE, EXIF_MARK),
    xmp: textOf((found["XMP "] ?? NONE).subarray(0, MAX_TEXT)),
    credentials: manifest(textOf(found.C2PA ?? NONE)),
  };
}

/** Kind and body of each chunk of a PNG, or of a RIFF file, which pads to an even length. */
function* chunks(bytes, at, png) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let n = 0; n < MAX_BLOCKS && at + 8 <= bytes.length; n++) {
    const kind = textOf(bytes.subarray(at + (png ? 4 : 0), at + (png ? 8 : 4)));
    const length = view.getUint32(at + (png ? 0 : 4), !png);
    yield [kind, bytes.subarray(at + 8, at + 8 + length)];
    at += png ? 12 + length : 8 + length + (length % 2);
  }
}

/** JUMBF boxes, if they hold a C2PA manifest store, else nothing. The first box inside says what a JUMBF box is. */
function manifest(boxes) {
  return boxes.slice(4, 8) === "jumb" && boxes.slice(8, 48).includes(C2PA_TYPE) ? boxes : "";
}
