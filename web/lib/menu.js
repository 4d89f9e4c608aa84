// The menu of a post: what can be done with it, by name.

import { h } from "./dom.js";

/** @typedef {{name: string, act: () => void, tone?: "danger"}|{name: string, href: string}} Choice */

const EDGE = 8;

/** @type {HTMLElement|null} */
let element = null;
/** @type {HTMLElement|null} The button at which it is open. */
let opener = null;

/**
 * Opens the menu at a button, or closes it if it is open there.
 * @param {HTMLElement} button
 * @param {Choice[]} choices
 */
export function toggleMenu(button, choices) {
  element ??= create();
  const menu = element;
  const wasOpen = opener === button && menu.matches(":popover-open");
  menu.hidePopover();
  if (wasOpen) return;
  const home = button.closest("dialog") ?? document.body; // what is outside of a dialog cannot be used
  if (menu.parentNode !== home) home.append(menu);
  menu.replaceChildren(...choices.map(itemOf));
  menu.showPopover();
  opener = button;
  button.setAttribute("aria-expanded", "true");
  place(menu, button);
  itemsOf(menu)[0]?.focus();
}

function create() {
  const menu = h("div", { class: "menu", popover: "auto", role: "menu", on: { keydown: takeKey } });
  menu.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === "closed") opener?.setAttribute("aria-expanded", "false");
  });
  return menu;
}

/** @param {Choice} choice */
function itemOf(choice) {
  if ("href" in choice) {
    const isElsewhere = !choice.href.startsWith("#");
    return h(
      "a",
      {
        class: "menu-item",
        role: "menuitem",
        tabindex: -1,
        href: choice.href,
        ...(isElsewhere && { target: "_blank", rel: "noopener noreferrer" }),
        on: { click: close },
      },
      choice.name,
    );
  }
  const click = () => {
    const button = opener;
    close();
    button?.focus({ preventScroll: true });
    choice.act();
  };
  const tone = choice.tone ?? "";
  return h(
    "button",
    { type: "button", class: `menu-item ${tone}`, role: "menuitem", tabindex: -1, on: { click } },
    choice.name,
  );
}

function close() {
  element?.hidePopover();
}

/** @param {KeyboardEvent} event */
function takeKey(event) {
  const items = element ? itemsOf(element) : [];
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  /** @type {Record<string, number>} */
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
  if (event.key === "Tab") close();
  if (!(event.key in next)) return;
  event.preventDefault();
  items.at(next[event.key] % items.length)?.focus();
}

/** @param {HTMLElement} menu */
function itemsOf(menu) {
  return /** @type {HTMLElement[]} */ ([...menu.children]);
}

/**
 * Puts an element that floats below a button, or above it where there is no room.
 * @param {HTMLElement} floating
 * @param {HTMLElement} button
 */
export function place(floating, button) {
  const { right, top, bottom } = button.getBoundingClientRect();
  const { width, height } = floating.getBoundingClientRect();
  const left = Math.max(EDGE, Math.min(right - width, document.documentElement.clientWidth - width - EDGE));
  const below = bottom + EDGE + height < innerHeight;
  floating.style.setProperty("left", `${left}px`);
  floating.style.setProperty("top", `${below ? bottom + 4 : Math.max(EDGE, top - height - 4)}px`);
}
