// Messages at the lower edge of the window: what was just done, and a button that undoes it.

import { h } from "./dom.js";

const SHOWN = 6_000;
const MOST = 3;

/** @typedef {{close: () => void, undo: (() => void)|null}} Toast `undo` presses its button; null: it has none. */

const region = h("div", { class: "toasts", role: "status", "aria-label": "Messages" });
/** @type {(Toast & {node: HTMLElement, hasAction: boolean})[]} The latest one last. */
const shown = [];

document.body.append(region);

/**
 * Shows a message until it is closed or its time is over.
 * @param {string} message
 * @param {object} [options]
 * @param {""|"good"|"bad"|"wait"} [options.tone]
 * @param {number} [options.milliseconds]
 * @param {{name: string, act: () => void}} [options.action] A button; it closes the toast.
 * @param {() => void} [options.onClose] Called when the author closes it, not after its time.
 * @returns {Toast}
 */
export function showToast(message, { tone = "", milliseconds = SHOWN, action, onClose } = {}) {
  const press = () => {
    close();
    action?.act();
  };
  const dismiss = () => {
    close();
    onClose?.();
  };
  const node = h(
    "div",
    { class: `toast ${tone}` },
    h("p", null, message),
    action && h("button", { type: "button", class: "button", on: { click: press } }, action.name),
    h("button", { type: "button", class: "button icon", "aria-label": "Close", on: { click: dismiss } }, "×"),
  );
  const toast = { node, close, hasAction: action !== undefined, undo: action?.name === "Undo" ? press : null };
  const timer = setTimeout(close, milliseconds);
  while (shown.length >= MOST) (shown.find(({ hasAction }) => !hasAction) ?? shown[0]).close();
  shown.push(toast);
  region.append(node);
  return toast;

  function close() {
    clearTimeout(timer);
    node.remove();
    const place = shown.indexOf(toast);
    if (place >= 0) shown.splice(place, 1);
  }
}

/** Presses the latest button that undoes something. Returns whether there is one. */
export function undoLatest() {
  const latest = shown.findLast(({ undo }) => undo);
  latest?.undo?.();
  return latest !== undefined;
}

/** Closes all: another author may come. */
export function closeToasts() {
  for (const toast of [...shown]) toast.close();
}
