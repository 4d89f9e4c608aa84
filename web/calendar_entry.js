// A post in the calendar: one button, in whichever day and view it stands at the moment.

import { h, setAttribute, setText } from "./dom.js";
import { stateOf } from "./post_state.js";
import { beginning } from "./post_text.js";
import { dayAndTime, dayKey, now, timeToTheMinute } from "./times.js";

/**
 * The buttons of all posts. A post keeps its button wherever it goes, so that the focus stays on it.
 * @returns {{of: (id) => HTMLElement, refresh: (entry) => void, forget: (ids) => void}}
 */
export function entryButtons(describedBy) {
  const buttons = new Map();
  const shownOn = new WeakMap(); // what each shows: to put it in words takes long, with a thousand posts

  function of(id) {
    if (!buttons.has(id)) {
      const time = h("span", { class: "entry-time" });
      const text = h("span", { class: "entry-text", dir: "auto" });
      buttons.set(id, h("button", { type: "button", class: "entry", "data-post": id }, time, text));
    }
    return buttons.get(id);
  }

  /** @param {{post: object, time: Date, status: ""|"carried"|"moving"}} entry */
  function refresh({ post, time, status }) {
    const button = of(post.id);
    const { word, tone } = stateOf(post);
    const shown = [+time, status, word, dayKey(now()), post.text].join();
    if (shownOn.get(button) === shown) return;
    shownOn.set(button, shown);
    const state = status === "moving" ? "Being moved" : word;
    const [timePart, textPart] = button.children;
    setText(timePart, timeToTheMinute(time));
    setText(textPart, beginning(post.text));
    setAttribute(button, "data-tone", tone || "plain");
    setAttribute(button, "data-status", status);
    setAttribute(button, "aria-busy", status === "moving" ? "true" : null);
    setAttribute(button, "aria-pressed", status === "carried" ? "true" : null);
    setAttribute(button, "aria-describedby", describedBy);
    setAttribute(button, "aria-label", `${dayAndTime(time)}, ${state}: ${beginning(post.text)}`);
  }

  function forget(ids) {
    for (const id of ids) buttons.delete(id);
  }

  return { of, refresh, forget };
}
