// What a picture file says of itself: camera, date, software, AI generator, and whether it has Content Credentials,
// which are not verified here. The rules and sentences are those of deepfake_detect/picture/provenance.py.

import { table } from "../table.js";
import { fill } from "../verdict/reasons.js";
import { readTags } from "./exif.js";
import { readBlocks, textOf } from "./metadata.js";

const { CREDENTIALS, CREATOR_TOOL, DATES, GENERATORS, IN_CREDENTIALS, IN_XMP, KINDS, MAX_BYTES } = table.provenance;
const { MADE_CODES, MAX_VALUE, OF_AI, SETTINGS, SETTINGS_OF, SOURCE_TYPES, SPOKEN_OF, COMFY, WORKFLOW } =
  table.provenance;
const { COMMENT, MAKE, MODEL, SOFTWARE, CHANGED, TAKEN } = table.exif;
const { MAX_LENGTH } = table.claim_text;
const NONE = new Uint8Array(0);

const pattern = ({ source, flags }, more = "") => new RegExp(source, flags + more);

/**
 * One thing that a file says of itself, which is a claim, never proof.
 * @typedef {object} Claim
 * @property {string} kind "generator", "credentials", "software", "camera" or "date"
 * @property {string} source where in the file: "EXIF", "XMP", "PNG text" or "C2PA"
 * @property {string} text one line of printable characters, which may hold markup
 * @property {string} code see docs/codes.md
 */

/** Whether a claim says that generative AI had a part in the picture. @param {Claim} claim */
export const speaksOfAi = ({ code }) => OF_AI.includes(code);

/**
 * What a file says of itself.
 * @typedef {object} Claims
 * @property {Claim[]} claims the weightiest first
 * @property {"claims_not_read" | null} code why there are none, where it is not that the file says nothing
 */

/**
 * What a file says of itself, if it is one of those that are read here.
 * @param {Blob | Uint8Array} source a file or its bytes
 * @returns {Promise<Claims>}
 */
export async function readClaims(source) {
  const bytes = source instanceof Blob ? new Uint8Array(await source.arrayBuffer()) : source;
  const blocks = bytes.length > MAX_BYTES ? null : await readBlocks(bytes);
  if (!blocks) return { claims: [], code: "claims_not_read" };
  const tags = readTags(blocks.exif, [COMMENT, MAKE, MODEL, SOFTWARE, CHANGED, TAKEN], MAX_VALUE);
  const of = (tag) => tags.get(tag) ?? NONE;
  const said = [...generators(blocks, of), ...credentials(blocks), ...software(blocks, of), ...camera(of)];
  const once = new Map();
  for (const claim of said) {
    const name = `${claim.kind}\n${claim.text}`;
    if (claim.text && !once.has(name)) once.set(name, claim);
  }
  const claims = [...once.values()].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
  return { claims, code: null };
}

const claimOf = (kind, source, text, code) => ({ kind, source, text, code });

/** Settings that image generators leave in their files, and IPTC's mark of generated media. */
function generators(blocks, of) {
  const settings = (source, name) => claimOf("generator", source, fill(SETTINGS_OF, name), "ai_settings");
  const [[, first, name]] = SETTINGS;
  const claims = SETTINGS.filter(([keyword, holds]) => pattern(holds).test(blocks.texts[keyword] ?? "")).map((rule) =>
    settings("PNG text", rule[2]),
  );
  // After its encoding; in UTF-16, digits have a zero byte.
  const comment = textOf(of(COMMENT).subarray(8)).replaceAll("\0", "");
  if (pattern(first).test(comment)) claims.push(settings("EXIF", name));
  if (isWorkflow(of(MAKE)) || isWorkflow(of(MODEL))) claims.push(settings("EXIF", COMFY));
  const marks = sourceTypes(IN_XMP, blocks.xmp).map((text) => claimOf("generator", "XMP", text, MADE_CODES[text][0]));
  return [...claims, ...marks];
}

/** Whether ComfyUI has put its settings where the camera's name belongs. */
const isWorkflow = (value) => WORKFLOW.some((start) => textOf(value.subarray(0, start.length)) === start);

const sourceTypes = (where, text) =>
  [...new Set(Array.from(text.matchAll(pattern(where, "g")), (found) => found[1]))].map((kind) => SOURCE_TYPES[kind]);

/** Of Content Credentials that nobody has checked. */
function credentials(blocks) {
  if (!blocks.credentials) return [];
  const spoken = sourceTypes(IN_CREDENTIALS, blocks.credentials);
  return [
    claimOf("credentials", "C2PA", CREDENTIALS, "credentials_not_checked"),
    ...spoken.map((text) => claimOf("credentials", "C2PA", fill(SPOKEN_OF, text), MADE_CODES[text][1])),
  ];
}

/** Names of programs; the names of generators among them make claims of a generator. */
function software(blocks, of) {
  const tool = pattern(CREATOR_TOOL).exec(blocks.xmp)?.[1] ?? "";
  const named = [
    ["PNG text", line(bytesOf(blocks.texts.Software ?? ""))],
    ["EXIF", line(of(SOFTWARE))],
    ["XMP", line(bytesOf(tool))],
  ];
  return named.map(([source, name]) =>
    pattern(GENERATORS).test(name)
      ? claimOf("generator", source, name, "ai_program")
      : claimOf("software", source, name, "software"),
  );
}

function camera(of) {
  const claims = [];
  if (!isWorkflow(of(MAKE)) && !isWorkflow(of(MODEL))) {
    const [make, model] = [line(of(MAKE)), line(of(MODEL))];
    const brand = make.split(" ", 1)[0].toLowerCase();
    const text = brand && model.toLowerCase().startsWith(brand) ? model : `${make} ${model}`.trim();
    claims.push(claimOf("camera", "EXIF", Array.from(text).slice(0, MAX_LENGTH).join("").trim(), "camera"));
  }
  for (const [tag, what, code] of DATES) {
    const date = dateOf(textOf(of(tag).subarray(0, 19)));
    if (date) claims.push(claimOf("date", "EXIF", fill(what, date), code));
  }
  return claims;
}

/** EXIF's date as ISO 8601 has it; "" where it is none, such as the zeros of a camera whose clock was not set. */
function dateOf(text) {
  const found = /^(\d{4}):(\d{1,2}):(\d{1,2})\s+(\d{1,2}):(\d{1,2}):(\d{1,2})$/.exec(text);
  if (!found) return "";
  const [year, ...rest] = found.slice(1).map((part, n) => part.padStart(n ? 2 : 4, "0"));
  const iso = `${year}-${rest[0]}-${rest[1]}T${rest[2]}:${rest[3]}:${rest[4]}`;
  const date = new Date(`${iso}Z`);
  const sound = year !== "0000" && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso);
  return sound ? iso.replace("T", " ") : "";
}

const bytesOf = (text) => Uint8Array.from(text, (sign) => sign.charCodeAt(0));

/** Bytes up to the first zero as one line of printable characters. */
function line(bytes) {
  const end = bytes.indexOf(0);
  const own = bytes.subarray(0, Math.min(end < 0 ? bytes.length : end, 4 * MAX_LENGTH));
  const printable = new TextDecoder("utf-8", { ignoreBOM: true }).decode(own).replace(/[\p{C}\p{Z}]/gu, " ");
  const words = Array.from(printable.replace(/ +/g, " ").trim());
  return words.slice(0, MAX_LENGTH).join("").trim();
}
