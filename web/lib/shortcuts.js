// Shortcuts of one key, and the sheet that lists them. They can be switched off: whoever speaks to the page types them.

import { h } from "./dom.js";

const OFF = "no shortcuts";

/** @typedef {{keys: string, name: string, act: () => unknown}} Shortcut */

/** Whether they are on in this browser. */
export function areShortcutsOn() {
  return localStorage.getItem(OFF) === null;
}

/** @param {boolean} value */
export function switchShortcuts(value) {
  if (value) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "true");
}

/**
 * @param {Shortcut[]} shortcuts
 * @param {() => boolean} isOn Whether they do something now.
 */
export function listenToShortcuts(shortcuts, isOn) {
  const sheet = shortcutSheet(shortcuts);
  document.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, altKey, target } = event;
    if (ctrlKey || metaKey || altKey || event.defaultPrevented || isTyping(target)) return;
    if (!isOn() || !areShortcutsOn() || document.querySelector("dialog[open], :popover-open")) return;
    if (key === "?") sheet.showModal();
    else shortcuts.find(({ keys }) => keys === key.toLowerCase())?.act();
    if (key === "?" || shortcuts.some(({ keys }) => keys === key.toLowerCase())) event.preventDefault();
  });
}

/** @param {Shortcut[]} shortcuts */
function shortcutSheet(shortcuts) {
  const rows = [
    ...shortcuts,
    { keys: "Ctrl + Enter", name: "Schedule what is written" },
    { keys: "?", name: "This sheet" },
  ].map(({ keys, name }) =>
    h("div", null, h("dt", null, h("kbd", null, keys.length === 1 ? keys.toUpperCase() : keys)), h("dd", null, name)),
  );
  const sheet = h(
    "dialog",
    { class: "card sheet", "aria-labelledby": "shortcuts-title" },
    h("h2", { id: "shortcuts-title" }, "Shortcuts"),
    h("dl", { class: "shortcuts" }, ...rows),
    h("form", { method: "dialog" }, h("button", { class: "button" }, "Close")),
  );
  document.body.append(sheet);
  return sheet;
}

/** @param {EventTarget|null} target */
function isTyping(target) {
  return (
    target instanceof HTMLElement && target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]")
  );
}
