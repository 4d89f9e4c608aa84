// A post in the calendar: its button, the card with more about it, and the confirmation before it is moved to the past.

import { h, setAttribute, setText } from "../lib/dom.js";
import { dayAndTime, dayKey, latenessInWords, now, timeToTheMinute } from "../lib/times.js";
import { beginning } from "../posts/beginning.js";
import { explanationOf, stateOf } from "../posts/post_state.js";

/** @import { Post } from "../posts/posts.js" */

/**
 * A post and where it stands in the calendar.
 * @typedef {{post: Post, time: Date, status: ""|"dragged"|"moving"}} Entry
 */

/**
 * The buttons of all posts. A post keeps its button on whichever day and view it stands, so that it keeps the focus.
 * @typedef {ReturnType<typeof entryButtons>} EntryButtons
 * @param {string} describedBy
 */
export function entryButtons(describedBy) {
  /** @type {Map<number, HTMLButtonElement>} */
  const buttons = new Map();
  /** @type {WeakMap<HTMLElement, string>} What each shows: formatting a thousand posts takes long. */
  const shownOn = new WeakMap();

  /** @param {number} id */
  function of(id) {
    const button = buttons.get(id) ?? createButton(id);
    buttons.set(id, button);
    return button;
  }

  /** @param {Entry} entry */
  function refresh({ post, time, status }) {
    const button = of(post.id);
    const { word, tone } = stateOf(post);
    const shown = [time.getTime(), status, word, dayKey(now()), post.text].join();
    if (shownOn.get(button) === shown) return;
    shownOn.set(button, shown);
    const state = status === "moving" ? "Being moved" : word;
    const [timePart, textPart] = button.children;
    setText(timePart, timeToTheMinute(time));
    setText(textPart, beginning(post.text));
    setAttribute(button, "data-tone", tone || "plain");
    setAttribute(button, "data-status", status);
    setAttribute(button, "aria-busy", status === "moving" ? "true" : null);
    setAttribute(button, "aria-pressed", status === "dragged" ? "true" : null);
    setAttribute(button, "aria-describedby", describedBy);
    setAttribute(button, "aria-label", `${dayAndTime(time)}, ${state}: ${beginning(post.text)}`);
  }

  /**
   * Forgets the buttons of deleted posts.
   * @param {(id: number) => boolean} isDeleted
   */
  function forget(isDeleted) {
    for (const id of buttons.keys()) if (isDeleted(id)) buttons.delete(id);
  }

  return { of, refresh, forget };
}

/** @param {number} id */
function createButton(id) {
  const time = h("span", { class: "entry-time" });
  const text = h("span", { class: "entry-text", dir: "auto" });
  return h("button", { type: "button", class: "entry", "data-post": id }, time, text);
}

/** A card that closes by itself. `show` opens it at a button, with the details of a post. */
export function postCard() {
  const time = h("strong");
  const chip = h("span", { class: "chip" });
  const text = h("p", { class: "card-text" });
  const why = h("p", { class: "soft small" });
  const link = h("a", { class: "button quiet", on: { click: hide } }, "Show in the list");
  const element = h(
    "div",
    { class: "card calendar-card", popover: "auto", role: "group", "aria-label": "Post" },
    h("p", { class: "card-head" }, time, chip),
    text,
    why,
    h("p", { class: "card-foot" }, link),
  );

  /**
   * @param {Post} post
   * @param {Date} at
   * @param {HTMLElement} button
   */
  function show(post, at, button) {
    const { word, tone } = stateOf(post);
    setText(time, dayAndTime(at));
    setText(chip, word);
    chip.className = `chip ${tone}`;
    setText(text, post.text);
    setText(why, latenessInWords(post) || explanationOf(post));
    link.href = `#posts/${post.id}`;
    element.showPopover();
    place(button);
  }

  /** @param {HTMLElement} button */
  function place(button) {
    const { left, top, bottom } = button.getBoundingClientRect();
    const { width, height } = element.getBoundingClientRect();
    const below = bottom + 6 + height < innerHeight;
    element.style.setProperty("left", `${Math.max(8, Math.min(left, document.body.clientWidth - width - 8))}px`);
    element.style.setProperty("top", `${below ? bottom + 6 : Math.max(8, top - height - 6)}px`);
  }

  function hide() {
    element.hidePopover();
  }

  return { element, show, hide };
}

/** The confirmation before a post is moved to a time that has passed. */
export function pastConfirmation() {
  const heading = h("h2", { id: "past-title" });
  const no = h("button", { class: "button primary", value: "no" }, "Do not move it");
  const element = h(
    "dialog",
    { class: "card past-confirmation", "aria-labelledby": "past-title", "aria-describedby": "past-text" },
    heading,
    h(
      "p",
      { id: "past-text" },
      "The post would be published at once, or count as missed if that time is too long ago.",
    ),
    h("form", { method: "dialog" }, no, h("button", { class: "button quiet danger", value: "yes" }, "Move it")),
  );

  /**
   * @param {string} message
   * @returns {Promise<boolean>}
   */
  function confirm(message) {
    setText(heading, message);
    element.returnValue = "no";
    element.showModal();
    no.focus();
    return new Promise((resolve) => {
      element.addEventListener("close", () => resolve(element.returnValue === "yes"), { once: true });
    });
  }

  return { element, confirm };
}
