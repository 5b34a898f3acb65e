// A chance as a place between 0 and 100, with the zones of the three verdicts.

import { table } from "../table.js";
import { draw, fill } from "./elements.js";

/** A chance in hundredths, never as a certainty. */
export function hundredths(chance) {
  const whole = Math.round(chance * 100);
  if (whole < 1) return "< 1";
  return whole > 99 ? "> 99" : String(whole);
}

/**
 * @param {number} chance 0..1
 * @param {number[]} band the unsure band
 * @param {number[]} others the chances after small changes, over which the score moves
 */
export function gauge(chance, [low, high], others = []) {
  const zone = (label, from, to) =>
    draw("rect", { class: label, x: from * 100, y: 4, width: (to - from) * 100, height: 6 });
  const least = Math.min(chance, ...others) * 100;
  const most = Math.max(chance, ...others) * 100;
  const range = others.length
    ? draw("rect", { class: "range", x: least, y: 6.5, width: most - least, height: 1 })
    : null;
  const place = Math.min(Math.max(chance * 100, 0.5), 99.5);
  return draw(
    "svg",
    {
      class: "gauge",
      role: "img",
      viewBox: "0 0 100 14",
      preserveAspectRatio: "none",
      "aria-label": fill(table.page.gauge, hundredths(chance)),
    },
    zone("real", 0, low),
    zone("unsure", low, high),
    zone("fake", high, 1),
    range,
    draw("rect", { class: "marker", x: place - 0.5, y: 0, width: 1, height: 14 }),
  );
}
