// Marks in the text that is being written what X marks (links, mentions, tags), and what is too long.

import { h } from "../lib/dom.js";
import { LIMIT, weightedLength } from "../text/text_length.js";
import { findLinks } from "../text/text_links.js";

/** Mentions, hashtags and cashtags, roughly as X marks them: this is a picture, not a rule. */
const TAGS =
  /(?<![\p{L}\p{N}_@#$/])(?:@[A-Za-z0-9_]{1,15}(?![A-Za-z0-9_@])|#(?=[\p{N}_]*\p{L})[\p{L}\p{N}_]+|\$[A-Za-z]{1,6}(?![\p{L}\p{N}_]))/gu;
const LONGEST_MARKED = 4_000;

/**
 * Draws the marks behind a field, at the places of its text.
 * @param {HTMLTextAreaElement} field
 * @returns {{element: HTMLElement, refresh: () => void}} `element` stands before the field, in the same box.
 */
export function textPreview(field) {
  const element = h("div", { class: "text-preview", "aria-hidden": "true" });
  let drawn = "";

  function refresh() {
    if (field.value === drawn && drawn) return;
    drawn = field.value;
    element.replaceChildren(...parts(drawn), "\n"); // the last line has its height also while it is empty
    element.dir = field.matches(":dir(rtl)") ? "rtl" : "ltr";
    follow();
  }

  function follow() {
    element.scrollTop = field.scrollTop;
  }

  field.addEventListener("input", refresh);
  field.addEventListener("scroll", follow);
  refresh();
  return { element, refresh };
}

/** @param {string} text */
function parts(text) {
  const kept = text.slice(0, endOfWhatFits(text));
  const cut = text.slice(kept.length);
  return [...marked(kept), ...(cut ? [h("mark", { class: "too-long" }, cut)] : [])];
}

/** @param {string} text */
function marked(text) {
  /** @type {(Node|string)[]} */
  const nodes = [];
  let done = 0;
  for (const { start, end } of marksIn(text)) {
    if (start < done) continue;
    nodes.push(text.slice(done, start), h("span", { class: "link" }, text.slice(start, end)));
    done = end;
  }
  nodes.push(text.slice(done));
  return nodes;
}

/** @param {string} text */
function marksIn(text) {
  if (text.length > LONGEST_MARKED) return [];
  const links = text === text.normalize("NFC") ? [...findLinks(text)] : []; // their places are those of the form NFC
  const tags = Array.from(text.matchAll(TAGS), ({ index, 0: tag }) => ({ start: index, end: index + tag.length }));
  return [...links, ...tags].sort((one, other) => one.start - other.start);
}

/**
 * How much of the text X takes.
 * @param {string} text
 */
function endOfWhatFits(text) {
  if (text.length > LONGEST_MARKED || weightedLength(text) <= LIMIT) return text.length;
  let [fits, tooMuch] = [0, text.length];
  while (tooMuch - fits > 1) {
    const middle = Math.floor((fits + tooMuch) / 2);
    if (weightedLength(text.slice(0, middle)) <= LIMIT) fits = middle;
    else tooMuch = middle;
  }
  return /[\uDC00-\uDFFF]/.test(text.charAt(fits)) ? fits - 1 : fits;
}
