// One photograph's card: the answer in one glance, why, how often such answers are wrong, and its faces.

import { table } from "../table.js";
import { cardOf, faceGauge, hundredths, like } from "../verdict/card.js";
import { fill } from "../verdict/reasons.js";
import { draw, make } from "./elements.js";
import { gaugeParts } from "./gauge.js";
import { claimsSaid, factsOf, saved } from "./record.js";

const { page } = table;
const SHOWN = 12; // faces framed and named one by one

const button = (text, onclick) => make("button", { type: "button", onclick }, text);
const paragraph = (text, kind) => (text ? make("p", { class: kind }, text) : null);

const barOf = (name) => make("progress", { max: 1, "aria-label": fill(page.judging, name) });

/** A card that waits for its verdict. */
export function waitingCard(name, remove) {
  const bar = barOf(name);
  const card = make(
    "article",
    { class: "card", "aria-label": name, "aria-busy": "true" },
    make("header", {}, make("h2", {}, make("bdi", {}, name)), bar, button(fill(page.remove, name), remove)),
  );
  return { card, progress: (share) => (bar.value = share) };
}

/** The same card while its photograph is judged once more. Returns what shows how far that is, 0..1. */
export function busyCard(card, name) {
  const bar = barOf(name);
  card.setAttribute("aria-busy", "true");
  card.querySelector(".unchecked")?.remove();
  card.querySelector("header").append(bar);
  return (share) => (bar.value = share);
}

/** The same card, which keeps its verdict, as the photograph could not be judged once more; `text` says so. */
export function uncheckedCard(card, text) {
  card.removeAttribute("aria-busy");
  card.querySelector("header progress").remove();
  card.querySelector("header").append(paragraph(text, "unchecked"));
  card.querySelector(".buttons button:disabled").disabled = false;
}

/** Let the browser forget what it holds of a card's picture. */
export function released(card) {
  card.querySelectorAll("img").forEach(forgotten);
}

function forgotten(image) {
  URL.revokeObjectURL(image.src);
  image.remove();
}

/** A card that waited, with what was wrong with the file. */
export function failedCard(card, name, text, remove) {
  card.removeAttribute("aria-busy");
  card.replaceChildren(
    make("header", {}, make("h2", {}, make("bdi", {}, name)), make("p", {}, text)),
    make("div", { class: "buttons" }, button(fill(page.remove, name), remove)),
  );
}

/**
 * The same card with its verdict.
 * @param {{file: File, name: string, result: object, version: object, thorough: boolean, remove: () => void,
 *   again: () => void}} judged `again`: judge it thoroughly
 */
export function judgedCard(card, judged) {
  const { file, name, result, version } = judged;
  const { verdict } = result;
  const { unsure_band: band } = version.metadata;
  const faces = [...result.faces].sort((a, b) => b.p_fake - a.p_fake);
  const told = cardOf(verdict, faces, band, version.error_rates, result.claims);
  const when = new Date();
  released(card);
  card.removeAttribute("aria-busy");
  card.dataset.label = verdict.label;
  card.setAttribute("aria-label", `${name}: ${told.said}`);
  const frames = faces.slice(0, SHOWN).map((face, n) => frameOf(face, n + 1, faces.length, result));
  const chosen = make("div", { class: "chosen" });
  const choose = (number) => {
    frames.forEach((frame, n) => frame.classList.toggle("chosen", n === number && faces.length > 1));
    chosen.replaceChildren(...ofFace(faces[number], number, faces.length, band));
  };
  card.replaceChildren(
    make(
      "header",
      {},
      make(
        "h2",
        { class: "word", "data-label": verdict.label },
        make("span", { "aria-hidden": "true" }, `${page.icons[told.category]} `),
        told.headline,
      ),
      paragraph(told.leaning, "leaning"),
      make("p", { class: "quiet" }, make("bdi", {}, name)),
    ),
    make(
      "figure",
      { class: "picture" },
      make("img", { src: URL.createObjectURL(file), alt: name, onerror: ({ target }) => forgotten(target) }),
      draw("svg", { viewBox: `0 0 ${result.width} ${result.height}`, "aria-hidden": "true" }, ...frames),
    ),
    make(
      "div",
      {},
      ...(told.gauge ? gaugeParts(told.gauge, band) : []),
      paragraph(told.claim, "claim"),
      paragraph([told.why, told.advice].filter(Boolean).join(" "), "why"),
      ...verdict.reasons.map((text) => paragraph(text, "reason")),
      paragraph([told.error_rate, page.caution].filter(Boolean).join(" "), "quiet rate"),
      faces.length > 1 ? chips(faces.slice(0, SHOWN), choose) : null,
      chosen,
    ),
    claimsSaid(result),
    factsOf(judged, when),
    buttons(judged, card, () => saved({ ...judged, faces, told, when })),
  );
  if (faces.length) choose(0);
}

/** A face's frame, with its number where there are several. */
function frameOf({ box: [left, top, right, bottom], label }, number, count, { width, height }) {
  const letters = Math.max(width, height) / 22;
  const name = draw("text", { x: left + letters / 4, y: top + letters, "font-size": letters }, String(number));
  return draw(
    "g",
    { class: "frame", "data-label": label },
    draw("rect", { x: left, y: top, width: right - left, height: bottom - top }),
    count > 1 ? name : null,
  );
}

function chips(faces, choose) {
  const made = faces.map((face, number) =>
    make(
      "button",
      {
        type: "button",
        "aria-pressed": String(number === 0),
        onclick: () => {
          made.forEach((one, n) => one.setAttribute("aria-pressed", String(n === number)));
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
  const name = make("h3", {}, fill(page.face, number + 1, page.words[face.label]));
  const shown = count === 1 ? [] : [name, ...gaugeParts(faceGauge(face, band), band)];
  if (count > 1 && face.kind) shown.push(paragraph(like(face.kind), "kind"));
  if (!face.stability) return shown;
  const rows = [{ name: page.holds.as_is, p_fake: face.p_fake }, ...face.stability.rescores].map((again) =>
    make("tr", {}, make("th", { scope: "row" }, again.name), make("td", {}, hundredths(again.p_fake))),
  );
  return [...shown, make("details", {}, make("summary", {}, page.holds.title), make("table", {}, ...rows))];
}

function buttons(judged, card, save) {
  const examine = button(page.thorough, () => {
    examine.disabled = true;
    judged.again();
  });
  return make(
    "div",
    { class: "buttons" },
    judged.result.faces.length && !judged.thorough ? examine : null,
    button(page.json, save),
    button(page.print, () => printed(card)),
    button(fill(page.remove, judged.name), judged.remove),
  );
}

/** Print one card by itself. On telephones `print` returns before anything is printed. */
function printed(card) {
  const cards = card.parentElement;
  cards.classList.add("one");
  card.classList.add("printed");
  addEventListener(
    "afterprint",
    () => {
      cards.classList.remove("one");
      card.classList.remove("printed");
    },
    { once: true },
  );
  print();
}
