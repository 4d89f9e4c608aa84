// The length of a post's text as X counts it: a gauge that fills, and the number of characters that are left.

import { h, setAttribute, setText, svg } from "../lib/dom.js";
import { LIMIT, weightedLength } from "../text/text_length.js";

const RADIUS = 9;
const CIRCUMFERENCE = 2 * Math.PI * RADIUS;
const NEARLY_FULL = 20;

/**
 * The gauge and the number of characters that are left, for a text field. It follows what is typed; after another
 * change of the field, call `refresh`.
 * @param {HTMLTextAreaElement} field
 * @param {string} id Of the number, for the field's aria-describedby.
 */
export function lengthGauge(field, id) {
  const filled = svg("circle", { class: "filled", cx: 12, cy: 12, r: RADIUS, "stroke-dasharray": CIRCUMFERENCE });
  const left = h("span", { class: "number", "data-testid": "left" });
  const unit = h("span", { class: "unseen" });
  const element = h(
    "p",
    { class: "length" },
    svg(
      "svg",
      { class: "gauge", viewBox: "0 0 24 24", "aria-hidden": "true" },
      svg("circle", { class: "empty-gauge", cx: 12, cy: 12, r: RADIUS }),
      filled,
    ),
    h("span", { id }, left, unit),
  );

  function refresh() {
    const length = weightedLength(field.value);
    setText(left, String(LIMIT - length));
    setText(unit, LIMIT - length === 1 ? " character left" : " characters left");
    setAttribute(filled, "stroke-dashoffset", CIRCUMFERENCE * (1 - Math.min(length / LIMIT, 1)));
    element.dataset.fill = length > LIMIT ? "over" : length > LIMIT - NEARLY_FULL ? "nearly" : "fits";
  }

  field.addEventListener("input", refresh);
  refresh();
  return { element, refresh };
}
