// An error of a field, shown at the field.

import { showMessage } from "./dom.js";

/**
 * Shows a message at a control, or that the control is valid.
 * @param {HTMLElement} control Names the message's element in its aria-describedby.
 * @param {HTMLElement} element
 * @param {string|null} message
 */
export function showFieldError(control, element, message) {
  showMessage(element, message ?? "");
  if (message) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}

/**
 * Moves the focus to the first invalid control, in the order of the page.
 * @param {HTMLFormElement} form
 * @returns {boolean} Whether there is one.
 */
export function focusFirstInvalid(form) {
  const first = /** @type {HTMLElement|null} */ (form.querySelector('[aria-invalid="true"]'));
  first?.focus();
  return first !== null;
}
