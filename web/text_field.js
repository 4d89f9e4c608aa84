// The text of a post: its length as X counts it, as a gauge that fills, and its errors.

import { h, setAttribute, setText, svg } from "./dom.js";
import { MAX, weightedLength } from "./tweet_length.js";

const RADIUS = 9;
const CIRCUMFERENCE = 2 * Math.PI * RADIUS;
const NEARLY_FULL = 20;

/**
 * What prevents a text from being posted, as a sentence; null when nothing does.
 * @param {string} text
 */
export function textError(text) {
  if (!text.trim()) return "Write something: the text is empty.";
  const length = weightedLength(text);
  return length > MAX ? `The text is ${length} long as X counts; X allows ${MAX}.` : null;
}

/**
 * The gauge and the number of characters that are left, for a text field. It follows what is typed; after another
 * change of the field, call `refresh`.
 * @param {HTMLTextAreaElement} field
 * @param {string} id Of the number, for the field's aria-describedby.
 */
export function lengthGauge(field, id) {
  const filled = svg("circle", { class: "filled", cx: 12, cy: 12, r: RADIUS, "stroke-dasharray": CIRCUMFERENCE });
  const left = h("span", { class: "number", "data-testid": "left" });
  const element = h(
    "p",
    { class: "length" },
    svg(
      "svg",
      { class: "gauge", viewBox: "0 0 24 24", "aria-hidden": "true" },
      svg("circle", { class: "empty-gauge", cx: 12, cy: 12, r: RADIUS }),
      filled,
    ),
    h("span", { id }, left, h("span", { class: "unseen" }, " characters left")),
  );

  function refresh() {
    const length = weightedLength(field.value);
    setText(left, String(MAX - length));
    setAttribute(filled, "stroke-dashoffset", CIRCUMFERENCE * (1 - Math.min(length / MAX, 1)));
    element.dataset.fill = length > MAX ? "over" : length > MAX - NEARLY_FULL ? "nearly" : "fits";
  }

  field.addEventListener("input", refresh);
  refresh();
  return { element, refresh };
}
