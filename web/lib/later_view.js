// A view whose modules are loaded when it is first shown, so that those who never open it do not wait for them.

import { h } from "./dom.js";
import { messageOf } from "./http.js";
import { showToast } from "./toast.js";

/** @typedef {{show?: () => void, hide?: () => void}} View */

/**
 * @param {() => Promise<View>} load
 * @param {() => void} onShown Called when it is there and shown, the first time and later.
 * @returns {View}
 */
export function laterView(load, onShown) {
  /** @type {Promise<View>|null} */
  let loading = null;
  /** @type {View|null} */
  let view = null;
  let isShown = false;

  async function show() {
    isShown = true;
    try {
      loading ??= load();
      view = await loading;
    } catch (error) {
      loading = null;
      showToast(`This view cannot be loaded: ${messageOf(error)}`, { tone: "bad" });
      return;
    }
    if (!isShown) return;
    view.show?.();
    onShown();
  }

  function hide() {
    isShown = false;
    view?.hide?.();
  }

  return { show, hide };
}

/** @type {Map<string, Promise<void>>} */
const sheets = new Map();

/**
 * Adds a style sheet to the page, once.
 * @param {string} href
 * @returns {Promise<void>} Settles when it is there.
 */
export function styleSheet(href) {
  const sheet = sheets.get(href) ?? addSheet(href);
  sheets.set(href, sheet);
  return sheet;
}

/**
 * @param {string} href
 * @returns {Promise<void>}
 */
function addSheet(href) {
  return new Promise((resolve, reject) => {
    const link = h("link", { rel: "stylesheet", href, on: { load: () => resolve(), error: fail } });
    document.head.append(link);

    function fail() {
      link.remove();
      sheets.delete(href); // the next one tries again
      reject(new Error(`${href} does not come.`));
    }
  });
}
