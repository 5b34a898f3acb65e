// Whether this browser gives the pixels and the numbers that the detector was measured with.

import { open } from "../picture/decode.js";
import { DetectError, sentence } from "../verdict/reasons.js";

/** Adler-32 of bytes, as zlib has it; unlike SHA-256 it is there on pages without encryption, too. */
export function adler32(bytes) {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

/**
 * Judge a known crop. Privacy browsers change what a page reads from a canvas; a broken runtime changes the rest.
 * @param {import("../detector.js").Detector} detector
 * @param {Uint8Array} file the known picture
 * @param {{pixels_adler32: number, logits: number[], tolerance: number}} known what must come of it
 * @returns {Promise<import("../picture/pixels.js").Picture>} the crop
 * @throws {DetectError} it does not
 */
export async function selfTest(detector, file, known) {
  const { whole } = await open(file);
  if (adler32(whole.data) !== known.pixels_adler32) throw new DetectError("pixels_changed", sentence("PIXELS_CHANGED"));
  const [logits] = await detector.model.logits([whole]);
  const far = logits.some((value, n) => !(Math.abs(value - known.logits[n]) <= known.tolerance));
  if (far) throw new DetectError("logits_changed", sentence("LOGITS_CHANGED"));
  return whole;
}
