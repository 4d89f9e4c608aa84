// The composer has its place above the lists, and one in the developer tools; in other views it opens in a dialog.

import { element, h } from "../lib/dom.js";

const form = element("composer");
let home = element("composer-home");
const close = h(
  "button",
  { type: "button", class: "button icon", "aria-label": "Close", on: { click: closeComposerDialog } },
  "×",
);
const dialog = h(
  "dialog",
  { class: "composer-dialog", "aria-labelledby": "composer-dialog-title", on: { close: goHome } },
  h("div", { class: "dialog-head" }, h("h2", { id: "composer-dialog-title" }, "New post"), close),
);
document.body.append(dialog);

/**
 * Gives the composer its place in the view that is shown now.
 * @param {HTMLElement|null} place Null: where the lists are.
 */
export function placeComposer(place) {
  home = place ?? element("composer-home");
  if (!dialog.open) goHome();
}

/**
 * Gives the focus to the text, where the composer is or in a dialog.
 * @param {boolean} isElsewhere Whether another view is shown than that of the lists.
 */
export function focusComposer(isElsewhere) {
  if (isElsewhere && !dialog.open) {
    dialog.append(form);
    dialog.showModal();
  }
  element("text").focus();
  form.scrollIntoView({ block: "nearest" });
}

/** Closes the dialog. What was written stays in the composer. Returns whether it was open. */
export function closeComposerDialog() {
  if (!dialog.open) return false;
  dialog.close();
  goHome(); // the event comes later
  return true;
}

function goHome() {
  if (form.parentElement !== home) home.append(form);
}
