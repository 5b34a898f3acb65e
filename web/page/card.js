// One photograph's card: the answer in one glance, why, how often such answers are wrong, and its faces.

import { table } from "../table.js";
import { labelOf } from "../verdict/decide.js";
import { draw, fill, make } from "./elements.js";
import { gauge, hundredths } from "./gauge.js";

const { page } = table;
const ICONS = { fake: "⚠", real: "✓", unsure: "?", no_face: "–" };
const SHOWN = 12; // faces framed and named one by one

/** A card that waits for its verdict. */
export function waitingCard(name, remove) {
  const bar = make("progress", { max: 1, "aria-label": fill(page.judging, name) });
  const card = make(
    "article",
    { class: "card", "aria-label": name, "aria-busy": "true" },
    make(
      "header",
      {},
      make("h2", {}, name),
      bar,
      make("button", { type: "button", onclick: remove }, fill(page.remove, name)),
    ),
  );
  return { card, progress: (share) => (bar.value = share) };
}

/** The same card with what was wrong with the file. */
export function failedCard(card, name, text, remove) {
  card.removeAttribute("aria-busy");
  card.replaceChildren(
    make("header", {}, make("h2", {}, name), make("p", {}, text)),
    make("div", { class: "buttons" }, make("button", { type: "button", onclick: remove }, fill(page.remove, name))),
  );
}

/**
 * The same card with its verdict.
 * @param {{file: File, name: string, result: object, version: object, remove: () => void}} judged
 */
export function judgedCard(card, { file, name, result, version, remove }) {
  const { verdict } = result;
  const { unsure_band: band } = version.metadata;
  const faces = [...result.faces].sort((a, b) => b.p_fake - a.p_fake);
  const shown = faces.length ? verdict.label : "no_face";
  card.removeAttribute("aria-busy");
  card.dataset.label = verdict.label;
  card.setAttribute("aria-label", `${name}: ${page.said[shown]}`);
  const address = URL.createObjectURL(file);
  const frames = faces.slice(0, SHOWN).map((face) => frameOf(face));
  const chosen = make("div", { class: "chosen" });
  const choose = (number) => {
    frames.forEach((frame, n) => frame.classList.toggle("chosen", n === number && faces.length > 1));
    chosen.replaceChildren(...ofFace(faces[number], number, faces.length, band));
  };
  card.replaceChildren(
    make("header", {}, ...headline(verdict, shown, band), make("p", { class: "quiet" }, name)),
    make(
      "figure",
      { class: "picture" },
      make("img", { src: address, alt: name, onerror: (event) => event.target.remove() }),
      draw("svg", { viewBox: `0 0 ${result.width} ${result.height}`, "aria-hidden": "true" }, ...frames),
    ),
    make(
      "div",
      {},
      ...(faces.length ? score(verdict.p_fake, band, faces.length === 1 ? moved(faces[0]) : []) : []),
      make("p", { class: "why" }, page.why[shown]),
      verdict.kind ? make("p", { class: "kind" }, like(verdict.kind)) : null,
      ...verdict.reasons.map((text) => make("p", { class: "reason" }, text)),
      make("p", { class: "quiet rate" }, faces.length ? version.error_rates[verdict.label] : ""),
      faces.length > 1 ? chips(faces.slice(0, SHOWN), choose) : null,
      chosen,
    ),
    buttons(name, result, version, card, remove),
  );
  if (faces.length) choose(0);
}

/** What a fake is most like, as a sentence; of a kind that is not known here its code. */
const like = (kind) => fill(page.like, table.kinds[kind] ?? kind);

const moved = (face) => face.stability?.rescores.map((again) => again.p_fake) ?? [];

/** The gauge, what its zones mean, and its number in words. */
function score(chance, band, others) {
  const zones = ["real", "unsure", "fake"].map((label) => make("span", {}, page.words[label]));
  const zoned = make("div", { class: "zones", "aria-hidden": "true" }, ...zones);
  return [gauge(chance, band, others), zoned, make("p", {}, fill(page.gauge, hundredths(chance)))];
}

function headline(verdict, shown, band) {
  const word = make(
    "h2",
    { class: "word", "data-label": verdict.label },
    make("span", { "aria-hidden": "true" }, `${ICONS[shown]} `),
    page.words[shown],
  );
  // A face that does not hold leans nowhere, whatever its score says.
  const leans = shown === "unsure" && labelOf(verdict.p_fake, band) === "unsure";
  return [
    word,
    leans ? make("p", { class: "leaning" }, page.leans[verdict.p_fake >= 0.5 ? "fake" : "real"]) : null,
  ].filter((element) => element !== null);
}

function frameOf({ box: [left, top, right, bottom] }) {
  return draw("rect", { class: "frame", x: left, y: top, width: right - left, height: bottom - top });
}

function chips(faces, choose) {
  const made = faces.map((face, number) =>
    make(
      "button",
      {
        type: "button",
        "aria-pressed": String(number === 0),
        onclick: () => {
          made.forEach((button, n) => button.setAttribute("aria-pressed", String(n === number)));
          choose(number);
        },
      },
      fill(page.face, number + 1, page.words[face.label]),
    ),
  );
  return make("div", { class: "chips", role: "group", "aria-label": page.faces }, ...made);
}

/** What is known of one face by itself; of the only one, what the card does not say already. */
function ofFace(face, number, count, band) {
  const alone = count === 1;
  const name = make("h3", {}, fill(page.face, number + 1, page.words[face.label]));
  const kind = face.kind ? [make("p", { class: "kind" }, like(face.kind))] : [];
  const shown = alone ? [] : [name, ...score(face.p_fake, band, moved(face)), ...kind];
  if (!face.stability) return shown;
  const rows = [{ name: page.holds.as_is, p_fake: face.p_fake }, ...face.stability.rescores].map((again) =>
    make("tr", {}, make("th", { scope: "row" }, again.name), make("td", {}, hundredths(again.p_fake))),
  );
  return [...shown, make("details", {}, make("summary", {}, page.holds.title), make("table", {}, ...rows))];
}

function buttons(name, result, version, card, remove) {
  const button = (text, onclick) => make("button", { type: "button", onclick }, text);
  return make(
    "div",
    { class: "buttons" },
    button(page.json, () => download(name, result, version)),
    button(page.print, () => {
      card.parentElement.classList.add("one");
      card.classList.add("printed");
      print();
      card.parentElement.classList.remove("one");
      card.classList.remove("printed");
    }),
    button(fill(page.remove, name), remove),
  );
}

/** The verdict as every interface has it, with the file's name and the model's hash. */
function download(name, { verdict }, version) {
  const report = { path: name, ...verdict, model_sha256: version.sha256, version: version.version };
  const blob = new Blob([`${JSON.stringify(report, null, 1)}\n`], { type: "application/json" });
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: `${name.replace(/\.[^.]*$/, "")}-verdict.json` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
