// What is wrong with a field, told at the field.

/**
 * Shows `words` at a control, or that all is well.
 * @param {HTMLElement} control Names the fault's element in its aria-describedby.
 * @param {HTMLElement} fault
 * @param {string|null} words
 */
export function showFault(control, fault, words) {
  fault.textContent = words ?? "";
  fault.hidden = !words;
  if (words) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}

/** Moves the focus to the first control, in the order of the page, that has a fault. Returns whether there is one. */
export function focusFirstFault(form) {
  const first = form.querySelector('[aria-invalid="true"]');
  first?.focus();
  return Boolean(first);
}
