// What a card says of a photograph; the rule is that of deepfake_detect/report/card.py, and so are the sentences.

import { roundEven } from "../picture/pixels.js";
import { table } from "../table.js";
import { FAKE, labelOf, REAL, UNSURE } from "./decide.js";
import { fill } from "./reasons.js";

const { page } = table;
const { OF_AI, OF_EDITING } = table.provenance;
const NO_FACE = "no_face";

/**
 * A chance of being fake between 0 and 1; or, where the verdict does not rest on it, how far small changes move it.
 * @typedef {object} Gauge
 * @property {number | null} chance
 * @property {number[] | null} span the lowest and the highest after small changes
 * @property {string} words
 */

/**
 * @typedef {object} Card
 * @property {"real" | "fake" | "unsure" | "no_face"} category
 * @property {string} said the answer as a whole sentence
 * @property {string} headline
 * @property {string} leaning of an unsure score, otherwise ""
 * @property {Gauge | null} gauge null where there is no face
 * @property {string} why
 * @property {string} advice what to do next, or how far to trust it; may be ""
 * @property {string} error_rate "" where there is no face
 * @property {string} claim that the file says AI had a part in it, otherwise ""
 */

/** A chance in hundredths, never as a certainty. */
export function hundredths(chance) {
  const whole = roundEven(chance * 100);
  if (whole < 1) return "< 1";
  return whole > 99 ? "> 99" : String(whole);
}

/**
 * The card of a verdict.
 * @param {import("../detector.js").Verdict} verdict
 * @param {(import("../detector.js").Face & {stability: object | null})[]} faces of the verdict, each with its scores
 *   after small changes, null where it was not scored again
 * @param {number[]} band the unsure band
 * @param {Record<string, string>} rates sentences by label
 * @param {import("../picture/claims.js").Claim[]} claims of the file
 * @returns {Card}
 */
export function cardOf(verdict, faces, band, rates, claims) {
  const category = faces.length ? verdict.label : NO_FACE;
  const ofAi = claims.filter(({ code }) => OF_AI.includes(code));
  const part = ofAi.every(({ code }) => OF_EDITING.includes(code)) ? page.edited : page.made;
  const unsure = category === UNSURE && labelOf(verdict.p_fake, band) === UNSURE;
  const [why, advice] = reasonsOf(verdict, faces, category);
  return {
    category,
    said: page.said[category],
    headline: ofAi.length ? fill(page.file_says[category], part) : page.words[category],
    leaning: unsure ? page.leans[verdict.p_fake >= 0.5 ? FAKE : REAL] : "",
    gauge: category === NO_FACE ? null : pictureGauge(verdict, faces, band),
    why,
    advice,
    error_rate: category === NO_FACE ? "" : rates[verdict.label],
    claim: ofAi.length ? fill(page.claimed_ai, ofAi.map(({ text }) => text).join("; ")) : "",
  };
}

/** The gauge of one face by itself. @returns {Gauge} */
export function faceGauge(face, band) {
  const agrees = !face.stability || labelOf(face.p_fake, band) === face.label;
  return gaugeOf(face.p_fake, agrees ? [] : [face]);
}

function pictureGauge(verdict, faces, band) {
  if (faces.length === 1) return faceGauge(faces[0], band);
  const moved = faces.filter(({ stability }) => stability?.flips.length);
  const agrees = !moved.length || labelOf(verdict.p_fake, band) === verdict.label;
  return gaugeOf(verdict.p_fake, agrees ? [] : moved);
}

/** `moved`: the faces whose scores after small changes contradict the score; none where the verdict rests on it. */
function gaugeOf(pFake, moved) {
  if (!moved.length) return { chance: pFake, span: null, words: fill(page.gauge, hundredths(pFake)) };
  const scores = [pFake, ...moved.flatMap(({ stability }) => stability.rescores.map((again) => again.p_fake))];
  const span = [Math.min(...scores), Math.max(...scores)];
  return { chance: null, span, words: fill(page.range, ...span.map(hundredths)) };
}

/** What a fake is most like, as a sentence; of a kind that is not known here its code. */
export const like = (kind) => fill(page.like, table.kinds[kind] ?? kind);

/** Why, and what to do next. */
function reasonsOf(verdict, faces, category) {
  const has = (code) => verdict.reason_codes.includes(code);
  if (category === NO_FACE) return [page.why[NO_FACE], ""];
  if (category === UNSURE) {
    const code = Object.keys(page.unsure_why).find(has) ?? "uncertain";
    return [page.unsure_why[code], page.advice[code] ?? page.why[UNSURE]];
  }
  const because = verdict.kind ? like(verdict.kind) : page.why[verdict.label];
  const why = has("faces_disagree") ? `${because} ${page.unsure_why.faces_disagree}` : because;
  if (faces.some(({ stability, label }) => stability?.flips.length && label !== UNSURE)) return [why, page.uncounted];
  const warned = Object.keys(page.warned).find(has);
  return [why, warned ? page.warned[warned] : ""];
}
