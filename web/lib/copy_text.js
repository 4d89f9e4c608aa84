// Copying a text to the clipboard.

import { showToast } from "./toast.js";

const SHOWN = 60_000; // what is not copied by then is lost

/**
 * Copies a text, and says whether that worked.
 * @param {string} text
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    showToast("Copied.", { tone: "good" });
  } catch {
    showToast("This browser does not allow copying here.", { tone: "bad" });
  }
}

/**
 * Offers a text that is kept nowhere else.
 * @param {string} message Why it is not.
 * @param {string} text
 */
export function offerToCopy(message, text) {
  showToast(message, {
    tone: "bad",
    milliseconds: SHOWN,
    action: { name: "Copy text", act: () => copyText(text) },
  });
}
