// The text of a post: whole, folded where it has very many lines, and its beginning for a label.

import { h, setText } from "../lib/dom.js";

const MOST_LINES = 12; // as many as posts.css leaves of a folded text
const LABEL_LENGTH = 60;

/** The text, and a button that shows the rest of a long one. */
export function postText() {
  const text = h("p", { class: "post-text", dir: "auto" });
  const more = h("button", { type: "button", class: "button quiet", hidden: true, on: { click: toggle } });
  const element = h("div", { class: "post-words" }, text, more);
  let isFolded = true;

  /** @param {string} content */
  function refresh(content) {
    setText(text, content);
    show();
  }

  function toggle() {
    isFolded = !isFolded;
    show();
  }

  function show() {
    const lines = (text.textContent ?? "").split("\n").length;
    more.hidden = lines <= MOST_LINES;
    text.classList.toggle("folded", isFolded && !more.hidden);
    setText(more, isFolded ? `Show all ${lines} lines` : "Show less");
  }

  return { element, refresh };
}

/**
 * The beginning of a text, in one line.
 * @param {string} text
 */
export function beginning(text) {
  const letters = [...text.replace(/\s+/gu, " ").trim()];
  return letters.length > LABEL_LENGTH ? `${letters.slice(0, LABEL_LENGTH).join("")}…` : letters.join("");
}
