// The text of a post in few words, for a label.

const LABEL_LENGTH = 60;

/**
 * The beginning of a text, in one line.
 * @param {string} text
 */
export function beginning(text) {
  const letters = [...text.replace(/\s+/gu, " ").trim()];
  return letters.length > LABEL_LENGTH ? `${letters.slice(0, LABEL_LENGTH).join("")}…` : letters.join("");
}
