// The text of a post: whole where there is room, folded where it has very many lines, its beginning in a label.

import { h, setText } from "./dom.js";

const MOST_LINES = 12; // as many as posts.css leaves of a folded text
const IN_A_LABEL = 60;

/**
 * The text, and the button that unfolds it where it is long.
 * @returns {{element: HTMLElement, refresh: (text: string) => void}}
 */
export function postText() {
  const text = h("p", { class: "post-text", dir: "auto" });
  const more = h("button", { type: "button", class: "button quiet", hidden: true, on: { click: turn } });
  const element = h("div", { class: "post-words" }, text, more);
  let isFolded = true;

  function refresh(words) {
    setText(text, words);
    show();
  }

  function turn() {
    isFolded = !isFolded;
    show();
  }

  function show() {
    const lines = text.textContent.split("\n").length;
    more.hidden = lines <= MOST_LINES;
    text.classList.toggle("folded", isFolded && !more.hidden);
    setText(more, isFolded ? `Show all ${lines} lines` : "Show less");
  }

  return { element, refresh };
}

/** The beginning of a text, in one line. */
export function beginning(text) {
  const letters = [...text.replace(/\s+/gu, " ").trim()];
  return letters.length > IN_A_LABEL ? `${letters.slice(0, IN_A_LABEL).join("")}…` : letters.join("");
}
