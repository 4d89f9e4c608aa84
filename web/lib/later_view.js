// A view whose modules are loaded when it is first shown, so that those who never open it do not wait for them.

import { h } from "./dom.js";

/** @typedef {{show?: () => void, hide?: () => void}} View */

/**
 * @param {HTMLElement} root Where the view is made.
 * @param {(root: HTMLElement) => Promise<View>} load
 * @param {() => void} onShown Called when it is there and shown, the first time and later.
 * @returns {View}
 */
export function laterView(root, load, onShown) {
  const wait = h("p", { class: "empty" }, "Loading…");
  const failure = h("p", { class: "notice bad", role: "alert" }, "This view cannot be loaded. Load the page again.");
  /** @type {Promise<View>|null} */
  let loading = null;
  /** @type {View|null} */
  let view = null;
  let shows = 0; // a view that comes late is shown only if no other was shown since

  async function show() {
    const mine = ++shows;
    failure.remove();
    if (!view) root.append(wait);
    try {
      loading ??= load(root);
      view = await loading;
    } catch (error) {
      reportError(error); // it may be a fault of the view's own code
      loading = null;
      root.replaceChildren(failure);
      return;
    } finally {
      wait.remove();
    }
    if (mine !== shows) return;
    view.show?.();
    onShown();
  }

  function hide() {
    shows += 1;
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
