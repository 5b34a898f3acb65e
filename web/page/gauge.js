// A chance as a place between 0 and 100, with the zones of the three verdicts.

import { table } from "../table.js";
import { draw, make } from "./elements.js";

/**
 * The gauge, what its zones mean, and its number in words.
 * @param {import("../verdict/card.js").Gauge} gauge
 * @param {number[]} band the unsure band
 */
export function gaugeParts({ chance, span, words }, [low, high]) {
  const zone = (label, from, to) =>
    draw("rect", { class: label, x: from * 100, y: 4, width: (to - from) * 100, height: 6 });
  const range = span
    ? draw("rect", { class: "range", x: span[0] * 100, y: 6.5, width: (span[1] - span[0]) * 100, height: 1 })
    : null;
  const place = Math.min(Math.max(chance * 100, 0.5), 99.5);
  const marker = chance === null ? null : draw("rect", { class: "marker", x: place - 0.5, y: 0, width: 1, height: 14 });
  const drawn = draw(
    "svg",
    { class: "gauge", role: "img", viewBox: "0 0 100 14", preserveAspectRatio: "none", "aria-label": words },
    zone("real", 0, low),
    zone("unsure", low, high),
    zone("fake", high, 1),
    range,
    marker,
  );
  const zones = ["real", "unsure", "fake"].map((label) => make("span", {}, table.page.words[label]));
  return [drawn, make("div", { class: "zones", "aria-hidden": "true" }, ...zones), make("p", {}, words)];
}
