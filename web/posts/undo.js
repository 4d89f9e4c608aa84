// What cannot be taken back once it is done (publishing, deleting) is done after a short time, in which its author can
// undo it. Leaving the page, or looking at another one, does at once what waits.

import { showToast } from "../lib/toast.js";

/** @import { Toast } from "../lib/toast.js" */

/** How long an action can be undone. */
export const GRACE = 5_000;

/**
 * @typedef {"publish"|"remove"} Kind
 * @typedef {{ids: number[], kind: Kind, act: () => Promise<unknown>, timer: number, toast: Toast|null}} Waiting
 */

/** Fires `change` when an action begins or ends to wait, and `failure` when one failed. */
class WaitingActions extends EventTarget {
  /** @type {Set<Waiting>} */
  #waiting = new Set();

  /**
   * What waits, or is being done, for a post.
   * @param {number} id
   * @returns {Kind|null}
   */
  kindOf(id) {
    for (const { ids, kind } of this.#waiting) if (ids.includes(id)) return kind;
    return null;
  }

  /**
   * @param {object} action
   * @param {number[]} action.ids Of the posts; those for which something waits already are left out.
   * @param {Kind} action.kind
   * @param {string} action.message What is about to happen, for the toast.
   * @param {(ids: number[]) => Promise<unknown>} action.act
   */
  start({ ids, kind, message, act }) {
    const free = ids.filter((id) => this.kindOf(id) === null);
    if (!free.length) return;
    /** @type {Waiting} */
    const waiting = { ids: free, kind, act: () => act(free), timer: 0, toast: null };
    waiting.timer = setTimeout(() => this.#complete(waiting), GRACE);
    waiting.toast = showToast(message, {
      milliseconds: GRACE,
      action: { name: "Undo", act: () => this.#end(waiting) },
      onClose: () => this.#complete(waiting),
    });
    this.#waiting.add(waiting);
    this.#changed();
  }

  /**
   * Does at once what waits for a post.
   * @param {number} id
   */
  complete(id) {
    for (const waiting of this.#waiting) if (waiting.ids.includes(id)) this.#complete(waiting);
  }

  /** Does at once everything that waits. */
  async completeAll() {
    await Promise.all([...this.#waiting].map((waiting) => this.#complete(waiting)));
  }

  /** @param {Waiting} waiting */
  async #complete(waiting) {
    if (!waiting.timer) return; // it is being done
    clearTimeout(waiting.timer);
    waiting.timer = 0;
    waiting.toast?.close();
    try {
      await waiting.act();
    } catch (error) {
      this.dispatchEvent(new CustomEvent("failure", { detail: { ids: waiting.ids, error } }));
    }
    this.#end(waiting);
  }

  /** @param {Waiting} waiting */
  #end(waiting) {
    clearTimeout(waiting.timer);
    this.#waiting.delete(waiting);
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

export const waitingActions = new WaitingActions();

window.addEventListener("pagehide", () => waitingActions.completeAll());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) waitingActions.completeAll(); // a phone may end the page without a further event
});
