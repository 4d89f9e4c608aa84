// The composer has its place above the lists; in another view it opens in a dialog.

import { element, h } from "../lib/dom.js";

const form = element("composer");
const home = element("composer-home");
const close = h("button", { type: "button", class: "button icon", "aria-label": "Close", on: { click: hide } }, "×");
const dialog = h(
  "dialog",
  { class: "composer-dialog", "aria-labelledby": "composer-dialog-title", on: { close: goHome } },
  h("div", { class: "dialog-head" }, h("h2", { id: "composer-dialog-title" }, "New post"), close),
);
document.body.append(dialog);

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

/** Closes the dialog, if it is open. What was written stays in the composer. */
export function closeComposerDialog() {
  hide();
}

function hide() {
  if (dialog.open) dialog.close();
}

function goHome() {
  home.append(form);
}
