// What goes with a verdict to whoever keeps or checks it: the file's claims, which file and model it was, the limits.

import { table } from "../table.js";
import { fill } from "../verdict/reasons.js";
import { make } from "./elements.js";

const { page } = table;

/** What a file says of itself, closed on the screen and open on paper. */
export function claimsSaid({ claims, claims_code: code }) {
  const said = claims.map(({ kind, source, text }) => make("li", {}, `${page.claim_kinds[kind]} (${source}): ${text}`));
  return make(
    "details",
    { class: "claims" },
    make("summary", {}, page.claims),
    make("p", { class: "quiet" }, claimsWorth(claims, code)),
    claims.length ? make("ul", {}, ...said) : null,
  );
}

/** What the claims of a file are worth; where there are none, whether it says nothing or was not read. */
function claimsWorth(claims, code) {
  if (code) return table.errors[code];
  return claims.length ? page.claims_caveat : page.no_claims;
}

/** Which file, which model and when, and what the detector is not for; closed on the screen and open on paper. */
export function factsOf({ file, name, result, version }, when) {
  const names = page.fact_names;
  const rows = [
    [names.file, name],
    [names.size, `${fill(page.pixels, result.width, result.height)}, ${fill(page.bytes, file.size)}`],
    [names.file_sha256, result.sha256],
    [names.model, `${version.file}, ${fill(page.of_version, version.version)}`],
    [names.model_sha256, version.sha256],
    [names.engines, result.engines.map((name) => page.engines[name]).join(", ")],
    [names.judged, localTime(when)],
    [names.page, location.href],
  ].filter(([, value]) => value);
  return make(
    "details",
    { class: "facts" },
    make("summary", {}, page.facts),
    make("dl", {}, ...rows.flatMap(([term, value]) => [make("dt", {}, term), make("dd", {}, value)])),
    make("ul", { class: "quiet" }, ...page.limits.map((limit) => make("li", {}, limit))),
  );
}

/**
 * The result to keep, in the shape of that of a page on a server, deepfake_detect/report/printable.py; beside it the
 * version, whether the check was thorough, where the network ran, and a code where the file was not read for claims.
 */
function reportOf({ name, result, version, faces, told, thorough, when }) {
  const { verdict, claims, claims_code, sha256, width, height } = result;
  const numbered = faces.map(({ stability, ...face }, n) => ({ number: n + 1, ...face }));
  const reasons = [told.claim, told.why, told.advice, ...verdict.reasons, told.error_rate, page.caution];
  return {
    picture: { name, sha256, width, height },
    verdict: { ...verdict, faces: numbered },
    explanation: reasons.filter(Boolean),
    stability: faces.flatMap(({ stability }, n) =>
      stability ? [{ number: n + 1, face: stability.face, rescores: stability.rescores }] : [],
    ),
    claims,
    claims_caveat: page.claims_caveat,
    claims_code,
    content_credentials: null, // which are not checked here
    model: { sha256: version.sha256, recipe: version.metadata.recipe },
    version: version.version,
    thorough,
    engines: result.engines,
    time: localTime(when).replace(" ", "T"),
  };
}

/** Save the result as a file; `judged`: see `judgedCard`, with the faces as its card orders them and what it says. */
export function saved(judged) {
  const { name } = judged;
  const report = reportOf(judged);
  const blob = new Blob([`${JSON.stringify(report, null, 1)}\n`], { type: "application/json" });
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: `${name.replace(/\.[^.]*$/, "")}-verdict.json` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

/** A time as ISO 8601 with the zone of this device. */
function localTime(when) {
  const minutes = -when.getTimezoneOffset();
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((n) =>
    String(n).padStart(2, "0"),
  );
  const local = new Date(when.getTime() + minutes * 60000).toISOString().slice(0, 19);
  return `${local.replace("T", " ")}${minutes < 0 ? "-" : "+"}${hours}:${rest}`;
}

/** Open what is closed on the screen while the page is printed, and close it again. */
export function openInPrint() {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll(".card > details:not([open])")];
    for (const part of opened) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of opened) part.open = false;
  });
}
