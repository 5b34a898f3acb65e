// What goes with a verdict to whoever keeps or checks it: the file's claims, which file and model it was, the limits.

import { table } from "../table.js";
import { fill, make } from "./elements.js";

const { page } = table;

/** What a file says of itself, closed on the screen and open on paper. */
export function claimsSaid(claims) {
  const said = claims.map(({ kind, source, text }) => make("li", {}, `${page.claim_kinds[kind]} (${source}): ${text}`));
  return make(
    "details",
    { class: "claims" },
    make("summary", {}, page.claims),
    make("p", { class: "quiet" }, claims.length ? page.claims_caveat : page.no_claims),
    claims.length ? make("ul", {}, ...said) : null,
  );
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

/** Save the verdict as every interface has it, with the file's name, claims and hash, and the model's. */
export function saved({ name, result, version }, when) {
  const { verdict, claims, sha256, width, height } = result;
  const report = {
    path: name,
    ...verdict,
    picture: { sha256, width, height },
    claims,
    model_sha256: version.sha256,
    version: version.version,
    time: localTime(when).replace(" ", "T"),
  };
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
