// A post in the calendar: its button, the card with more about it, and the confirmation before it is moved to the past.

import { offerToCopy } from "../lib/copy_text.js";
import { h, setAttribute, setText } from "../lib/dom.js";
import { place } from "../lib/menu.js";
import { dayAndTime, dayKey, latenessInWords, now, timeToTheMinute } from "../lib/times.js";
import { beginning } from "../posts/beginning.js";
import { actionsOf, explanationOf, stateOf } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";
import { editForm, moveForm } from "../queue/post_forms.js";

/** @import { Post } from "../posts/posts.js" */
/** @import { PostForm } from "../queue/post_forms.js" */

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

/**
 * A card that closes by itself. `show` opens it at a button, with the details of a post and what can be done with it, or
 * with the form of that post in which its author has typed before.
 */
export function postCard() {
  const time = h("strong");
  const chip = h("span", { class: "chip" });
  const text = h("p", { class: "card-text", dir: "auto" });
  const why = h("p", { class: "soft small" });
  const edit = h("button", { type: "button", class: "button", on: { click: () => open(editForm) } }, "Edit");
  const move = h("button", { type: "button", class: "button", on: { click: () => open(moveForm) } }, "Move");
  const link = h("a", { class: "button quiet", on: { click: hide } }, "Show in the list");
  const slot = h("div", { class: "card-form" });
  const foot = h("p", { class: "card-foot" }, edit, move, link);
  const element = h(
    "div",
    { class: "card calendar-card", popover: "auto", role: "group", "aria-label": "Post", on: { toggle: leaveDeleted } },
    h("p", { class: "card-head" }, time, chip),
    text,
    why,
    slot,
    foot,
  );
  /** @type {Post|null} */
  let shown = null;
  /** @type {Map<number, PostForm>} Of the post that is shown, and those that its author left with something typed. */
  const forms = new Map();
  /** @type {HTMLElement|null} The button at which it is open. */
  let opener = null;
  new ResizeObserver(() => opener?.isConnected && place(element, opener)).observe(element); // a form must not end below

  /**
   * @param {Post} post
   * @param {Date} at
   * @param {HTMLElement} button
   */
  function show(post, at, button) {
    const { word, tone } = stateOf(post);
    const allowed = actionsOf(post);
    shown = post;
    opener = button;
    setText(time, dayAndTime(at));
    setText(chip, word);
    chip.className = `chip ${tone}`;
    setText(text, post.text);
    setText(why, latenessInWords(post) || explanationOf(post));
    link.href = `#posts/${post.id}`;
    edit.hidden = !allowed.has("edit");
    move.hidden = !allowed.has("move");
    for (const [id, form] of forms) if (!form.isTouched()) forms.delete(id);
    showForm(forms.get(post.id));
    element.showPopover();
    place(element, button);
  }

  /** @param {PostForm} [form] */
  function showForm(form) {
    text.hidden = foot.hidden = form !== undefined;
    slot.replaceChildren(...(form ? [form.element] : []));
  }

  /** @param {typeof editForm} makeForm */
  function open(makeForm) {
    if (!shown) return;
    const { id } = shown;
    const form = makeForm(shown, () => {
      forms.delete(id);
      if (shown?.id === id) hide();
    });
    forms.set(id, form);
    showForm(form);
    form.focus.focus();
  }

  /** Shows in the forms what became of their posts, and the passing of time. */
  function refresh() {
    for (const [id, form] of forms) {
      form.refresh(posts.get(id) ?? null);
      form.tick();
    }
    leaveDeleted();
  }

  /** Of posts that were deleted, no form is shown again: what was typed there can be copied. */
  function leaveDeleted() {
    if (!posts.answeredAt) return; // signed out
    for (const [id, form] of forms) {
      const isOpen = shown?.id === id && element.matches(":popover-open");
      if (isOpen || posts.get(id)) continue;
      forms.delete(id);
      if (form.text()) offerToCopy("The post that you were editing was deleted.", form.text());
    }
  }

  function hide() {
    element.hidePopover();
  }

  function clear() {
    hide();
    shown = null;
    forms.clear();
    showForm();
    for (const part of [time, text, why]) setText(part, "");
  }

  return { element, show, refresh, hide, clear };
}

/** A card with posts that stand too close together for the grid, as rows. */
export function rowsCard() {
  const list = h("div", { class: "card-rows" });
  const element = h(
    "div",
    { class: "card calendar-card rows-card", popover: "auto", role: "group", "aria-label": "Posts at this time" },
    list,
  );

  /**
   * @param {Entry[]} entries
   * @param {HTMLElement} button
   */
  function show(entries, button) {
    list.replaceChildren(...entries.map(rowOf));
    element.showPopover();
    place(element, button);
  }

  /** @param {Entry} entry */
  function rowOf({ post, time }) {
    return h(
      "a",
      { class: "menu-item", href: `#posts/${post.id}`, on: { click: hide } },
      h("strong", { class: "number" }, timeToTheMinute(time)),
      h("span", { class: "entry-text", dir: "auto" }, beginning(post.text)),
    );
  }

  function hide() {
    element.hidePopover();
  }

  function clear() {
    hide();
    list.replaceChildren();
  }

  return { element, show, hide, clear };
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

  return { element, confirm, dismiss: () => element.close("no") };
}
