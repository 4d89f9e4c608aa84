// A small form in the place of a post's buttons. It stays when the action fails, with everything that was typed.

import { h, setText } from "./dom.js";
import { focusFirstFault } from "./faults.js";

/**
 * @param {object} options
 * @param {string} options.name What the form is for, to screen readers.
 * @param {Node[]} options.children Its fields.
 * @param {string} [options.submit] The name of the button that does it.
 * @param {string} [options.cancel] The name of the button that leaves; so does Escape, while nothing was typed.
 * @param {string} [options.tone] "danger" for what cannot be undone.
 * @param {() => void} [options.check] Shows the faults of the fields, if there are any.
 * @param {() => Promise} options.act
 * @param {() => void} options.close Called when it is done, or left.
 * @returns {{element: HTMLElement, tell: (words: string) => void, isTouched: () => boolean}} `tell` says what one
 *   should know while filling it in; `isTouched`: something was typed.
 */
export function inlineForm({
  name,
  children,
  submit = "Save",
  cancel = "Cancel",
  tone = "",
  check = () => {},
  act,
  close,
}) {
  const news = h("p", { class: "notice wait", role: "status", hidden: true });
  const failure = h("p", { class: "notice bad", role: "alert", hidden: true });
  const button = h("button", { class: `button ${tone}` }, submit);
  const element = h(
    "form",
    { class: "inline-form", "aria-label": name, novalidate: true, on: { submit: save, keydown: leave } },
    ...children,
    news,
    failure,
    h(
      "div",
      { class: "inline-buttons" },
      button,
      h("button", { type: "button", class: "button quiet", on: { click: close } }, cancel),
    ),
  );

  let isTouched = false;
  element.addEventListener("input", () => {
    isTouched = true;
  });

  async function save(event) {
    event.preventDefault();
    if (button.getAttribute("aria-busy") === "true") return;
    check();
    if (focusFirstFault(element)) return;
    button.setAttribute("aria-busy", "true");
    show(failure, "");
    try {
      await act();
      close();
    } catch (error) {
      show(failure, error.message);
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  function leave(event) {
    if (event.key === "Escape" && !isTouched) close();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) element.requestSubmit();
  }

  return { element, tell: (words) => show(news, words), isTouched: () => isTouched };
}

function show(notice, words) {
  setText(notice, words);
  notice.hidden = !words;
}
