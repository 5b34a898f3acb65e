// Reasons and sentences, from the table that the Python side writes.

import { table } from "../table.js";

/** A text of the table with its places filled. */
export const fill = (text, ...values) => text.replace(/\{\}/g, () => String(values.shift()));

/** A sentence of the table with its places filled. */
export function sentence(name, ...values) {
  if (!(name in table.sentences)) throw new Error(`The table has no sentence ${name}.`);
  return fill(table.sentences[name], ...values);
}

/** @returns {{code: string, text: string}} */
export function reason(code, text) {
  if (!(code in table.reasons)) throw new Error(`The table has no reason ${code}.`);
  return { code, text };
}

/** A picture that cannot be judged, or a browser that cannot judge: a code for programs, a sentence for people. */
export class DetectError extends Error {
  constructor(code, text) {
    super(text);
    this.name = "DetectError";
    this.code = code;
  }
}

/** Each reason once, in order. */
export function once(reasons) {
  const seen = new Map(reasons.map((each) => [`${each.code} ${each.text}`, each]));
  return [...seen.values()];
}
