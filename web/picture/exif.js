// A few tags of EXIF, or of a TIFF file; see deepfake_detect/picture/exif.py. What is private stays in the file.

import { table } from "../table.js";

const { MAX_ENTRIES } = table.exif;
const SIZES = { 1: 1, 2: 1, 3: 2, 4: 4, 7: 1 }; // bytes, by type: BYTE, ASCII, SHORT, LONG, UNDEFINED
const INNER = 0x8769; // the directory with what the camera notes of the exposure

/**
 * Values of tags in the first directory and in the one inside it.
 * @param {Uint8Array} block from the byte order on, or a whole TIFF file. May be damaged: what can be read counts.
 * @param {number[]} wanted numbers of tags
 * @param {number} limit bytes of a value; the rest of a longer one is left out
 * @returns {Map<number, Uint8Array>} the bytes of those that are there
 */
export function readTags(block, wanted, limit) {
  const found = new Map();
  const order = String.fromCharCode(...block.subarray(0, 4));
  if (order !== "II*\0" && order !== "MM\0*") return found;
  const little = order === "II*\0";
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  try {
    readDirectory(block, view, view.getUint32(4, little), little, new Set([...wanted, INNER]), limit, found);
    const inner = found.get(INNER);
    if (inner?.length === 4) {
      const place = new DataView(inner.buffer, inner.byteOffset, 4).getUint32(0, little);
      readDirectory(block, view, place, little, new Set(wanted), limit, found);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // cut short: what was read until there counts
  }
  found.delete(INNER);
  return found;
}

/** Add the wanted tags of one directory; the first of a kind counts. Throws RangeError at the block's end. */
function readDirectory(block, view, at, little, wanted, limit, found) {
  const entries = Math.min(view.getUint16(at, little), MAX_ENTRIES);
  for (let number = 0; number < entries; number++) {
    const entry = at + 2 + 12 * number;
    const [tag, kind] = [view.getUint16(entry, little), view.getUint16(entry + 2, little)];
    if (!wanted.has(tag) || found.has(tag) || !(kind in SIZES)) continue;
    const size = view.getUint32(entry + 4, little) * SIZES[kind];
    const start = size > 4 ? view.getUint32(entry + 8, little) : entry + 8;
    const value = block.subarray(start, start + Math.min(size, limit));
    if (value.length) found.set(tag, value);
  }
}
