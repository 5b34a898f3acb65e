// What a file is by its first bytes, and how many pixels it announces, before anything is decoded.

export const HEAD = 64; // bytes that tell a video

const ascii = (bytes, start, length) => String.fromCharCode(...bytes.subarray(start, start + length));

/**
 * @param {Uint8Array} bytes a file
 * @returns {{kind: string, size: number[] | null}} "jpeg", "png", "gif", "bmp", "webp", "avif", "heic", "tiff", "video"
 *   or ""; width and height as the file says, before it is turned upright; null where that is not known
 */
export function described(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = (read) => {
    try {
      return read();
    } catch (error) {
      if (error instanceof RangeError) return null; // the file ends before it says so
      throw error;
    }
  };
  if (ascii(bytes, 0, 3) === "\xff\xd8\xff") return { kind: "jpeg", size: size(() => jpegSize(view)) };
  if (ascii(bytes, 0, 8) === "\x89PNG\r\n\x1a\n")
    return { kind: "png", size: size(() => [view.getUint32(16), view.getUint32(20)]) };
  if (/^GIF8[79]a/.test(ascii(bytes, 0, 6)))
    return { kind: "gif", size: size(() => [view.getUint16(6, true), view.getUint16(8, true)]) };
  if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 4) === "WEBP")
    return { kind: "webp", size: size(() => webpSize(view, ascii(bytes, 12, 4))) };
  if (ascii(bytes, 0, 2) === "BM")
    return { kind: "bmp", size: size(() => [view.getInt32(18, true), Math.abs(view.getInt32(22, true))]) };
  if (ascii(bytes, 4, 4) === "ftyp") {
    const brand = ascii(bytes, 8, 4);
    if (brand === "avif" || brand === "avis") return { kind: "avif", size: extentOf(bytes, view) };
    if (/^(hei[cxms]|hev[cxms]|mif1|msf1)$/.test(brand)) return { kind: "heic", size: extentOf(bytes, view) };
  }
  if (isVideo(bytes, view)) return { kind: "video", size: null };
  if (["II*\0", "MM\0*", "II+\0"].includes(ascii(bytes, 0, 4))) return { kind: "tiff", size: null };
  return { kind: "", size: null };
}

/** Whether a file that is no picture is of a format of videos that the server judges. */
function isVideo(bytes, view) {
  const [start, box, brand] = [0, 4, 8].map((place) => ascii(bytes, place, 4));
  if (start === "\x1aE\xdf\xa3" || (start === "RIFF" && brand === "AVI ")) return true; // WebM is the first
  // Of MP4 and QuickTime; but for sound, a camera's raw file, and stills, whose brands have one of two in them.
  if (box === "ftyp") return !/^([MF]4[ABP] |aax |aaxc|crx )$/.test(brand) && !/mif1|miaf/.test(ascii(bytes, 8, 56));
  if (!/^(moov|mdat|wide|free|skip)$/.test(box)) return false;
  return box === "mdat" || view.getUint32(0) < 2 ** 29; // text in that place would say more
}

/** From the header of its frame, behind any number of segments. */
function jpegSize(view) {
  for (let place = 2; ;) {
    if (view.getUint8(place) !== 0xff) return null;
    const marker = view.getUint8(place + 1);
    if (marker === 0xff) {
      place += 1;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [view.getUint16(place + 7), view.getUint16(place + 5)];
    place += 2 + view.getUint16(place + 2);
  }
}

function webpSize(view, chunk) {
  if (chunk === "VP8X") return [24, 27].map((at) => 1 + view.getUint16(at, true) + (view.getUint8(at + 2) << 16));
  if (chunk === "VP8L") {
    const bits = view.getUint32(21, true);
    return [1 + (bits & 0x3fff), 1 + ((bits >> 14) & 0x3fff)];
  }
  return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
}

/** The largest of the image extents (box `ispe`) that stand in the first bytes of an AVIF or HEIC file. */
function extentOf(bytes, view) {
  let found = null;
  for (let n = 4; n + 16 <= Math.min(bytes.length, 65536); n++)
    if (bytes[n] === 0x69 && ascii(bytes, n, 4) === "ispe") {
      const size = [view.getUint32(n + 8), view.getUint32(n + 12)];
      if (!found || size[0] * size[1] > found[0] * found[1]) found = size;
    }
  return found;
}
