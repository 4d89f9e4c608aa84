// The forms with which an author changes a post: its text or its time. A form appears in the place of
// the post's buttons, and stays when the change fails, with everything that was typed.

import { lengthGauge } from "../composer/text_field.js";
import { whenField } from "../composer/when_field.js";
import { h, showMessage } from "../lib/dom.js";
import { focusFirstInvalid, showFieldError } from "../lib/field_error.js";
import { messageOf, Unreachable } from "../lib/http.js";
import { addDays, dayAndTime, instant, now } from "../lib/times.js";
import { showToast } from "../lib/toast.js";
import { editText, move } from "../posts/actions.js";
import { canBeMovedBack } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";
import { textError } from "../text/text_length.js";

/** @import { Post } from "../posts/posts.js" */

/**
 * @typedef {object} PostForm
 * @property {HTMLFormElement} element
 * @property {HTMLElement} focus What gets the focus.
 * @property {(post: Post|null) => void} refresh Takes the post as it is now; null: it was deleted.
 * @property {() => void} tick Shows the passing of time, and takes back what no longer holds.
 * @property {() => boolean} isTouched Whether its author has typed in it.
 * @property {() => string} text What its author has typed to be published; empty: nothing.
 */

const HOUR = 3_600_000;
const DELETED = "This post was deleted.";
const DELETED_WITH_TEXT = "This post was deleted. Copy your text or schedule it as new.";

/**
 * Edits the text.
 * @param {Post} post
 * @param {() => void} close Called when it is done, or left.
 * @returns {PostForm}
 */
export function editForm(post, close) {
  const id = `edit-${post.id}`;
  const field = h("textarea", { id, rows: 4, dir: "auto", "aria-describedby": `${id}-length ${id}-error` });
  field.value = post.text;
  const error = h("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const gauge = lengthGauge(field, `${id}-length`);
  field.addEventListener("input", () => showFieldError(field, error, null));
  return postForm(post, {
    name: "Edit",
    children: [h("div", { class: "field" }, h("label", { for: id }, "Text"), field, gauge.element, error)],
    focus: field,
    check: () => showFieldError(field, error, textError(field.value)),
    act: () => editText(post.id, field.value),
    close,
    deleted: DELETED_WITH_TEXT,
    text: () => field.value,
  });
}

/**
 * Moves it to another time; a closed post is opened again thereby.
 * @param {Post} post
 * @param {() => void} close
 * @returns {PostForm}
 */
export function moveForm(post, close) {
  const id = `move-${post.id}`;
  const field = h("input", { id, type: "datetime-local", step: 1, "aria-describedby": `${id}-hint ${id}-error` });
  const hint = h("p", { class: "hint when-hint", id: `${id}-hint` });
  const error = h("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const words = h("p", { class: "when-words" });
  const picks = h("div", { class: "quick-picks", role: "group", "aria-label": "Quick picks" });
  const when = whenField(field, words, hint, picks, [
    [() => "1 hour later", () => shifted(post, { hours: 1 })],
    [() => "1 day later", () => shifted(post, { days: 1 })],
  ]);
  when.set(instant(post.schedule_for));
  field.addEventListener("input", () => showFieldError(field, error, null));
  return postForm(post, {
    name: "Move",
    children: [h("div", { class: "field" }, h("label", { for: id }, "New time"), field, words, error), picks, hint],
    focus: field,
    check: () => showFieldError(field, error, when.error()),
    act: () => moveWithUndo(post, when.date() ?? instant(post.schedule_for)),
    close,
    onTick: when.refresh,
  });
}

/**
 * A later time by the clock; null for a post whose time has passed.
 * @param {Post} post
 * @param {{hours?: number, days?: number}} by
 */
function shifted({ schedule_for }, { hours = 0, days = 0 }) {
  const time = instant(schedule_for).getTime();
  return time < now() ? null : addDays(new Date(time + hours * HOUR), days);
}

/**
 * @param {Post} post
 * @param {Date} time
 */
async function moveWithUndo(post, time) {
  await move(post.id, time);
  if (!canBeMovedBack(post)) return;
  showToast(`Moved to ${dayAndTime(time)}.`, {
    action: { name: "Undo", act: () => moveBack(post) },
  });
}

/** @param {Post} post As it was before it was moved. */
async function moveBack(post) {
  try {
    await move(post.id, instant(post.schedule_for));
  } catch (error) {
    showToast(messageOf(error), { tone: "bad" });
  }
}

/**
 * @param {Post} opened The post as it was when the form was opened.
 * @param {object} options
 * @param {string} options.name What the form is for, to screen readers.
 * @param {HTMLElement[]} options.children Its fields.
 * @param {HTMLElement} options.focus What gets the focus.
 * @param {() => void} options.check Shows the errors of the fields, if there are any.
 * @param {() => Promise<unknown>} options.act
 * @param {() => void} options.close
 * @param {string} [options.deleted] What to show when the post was deleted.
 * @param {() => string} [options.text] What is in the field of the text.
 * @param {() => void} [options.onTick] Called as time passes.
 * @returns {PostForm}
 */
function postForm(opened, options) {
  const { name, children, focus, check, act, close, deleted = DELETED, text = () => "", onTick } = options;
  const change = h("p", { class: "notice wait", role: "status", hidden: true });
  const failure = h("p", { class: "notice bad", role: "alert", hidden: true });
  const button = h("button", { class: "button primary" }, "Save");
  const leave = h("button", { type: "button", class: "button quiet", on: { click: close } }, "Cancel");
  const element = h(
    "form",
    { class: "inline-form", "aria-label": name, novalidate: true, on: { submit: save, keydown: takeKey } },
    ...children,
    change,
    failure,
    h("div", { class: "inline-buttons" }, button, leave),
  );
  let isTouched = false;
  /** @type {Date|null} When a failure that may be over was shown. */
  let failedAt = null;
  element.addEventListener("input", () => {
    isTouched = true;
  });

  /** @param {SubmitEvent} event */
  async function save(event) {
    event.preventDefault();
    if (button.getAttribute("aria-busy") === "true") return;
    check();
    if (focusFirstInvalid(element)) return;
    button.setAttribute("aria-busy", "true");
    showMessage(failure, "");
    try {
      await act();
      close();
    } catch (error) {
      showMessage(failure, messageOf(error));
      failedAt = error instanceof Unreachable ? new Date(now()) : null;
      showMessage(change, ""); // a refusal says the same
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  /** @param {Post|null} post */
  function refresh(post) {
    const message = changeOf(opened, post, deleted);
    if (message) showMessage(failure, ""); // it was about the post as it was before
    showMessage(change, message);
  }

  /** @param {KeyboardEvent} event */
  function takeKey(event) {
    if (event.key === "Escape" && !isTouched) close();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) element.requestSubmit();
  }

  function tick() {
    onTick?.();
    if (failedAt && posts.answeredAt && posts.answeredAt > failedAt) {
      failedAt = null;
      showMessage(failure, "");
    }
  }

  return { element, focus, refresh, tick, isTouched: () => isTouched, text: () => (isTouched ? text() : "") };
}

/**
 * What changed since the form was opened, as a sentence; empty when nothing relevant changed.
 * @param {Post} before
 * @param {Post|null} present
 * @param {string} deleted
 */
function changeOf(before, present, deleted) {
  if (!present) return deleted;
  if (present.state === "sending" && before.state !== "sending") return "This post is being published just now.";
  if (present.state === "tweeted") return "This post was published meanwhile. It can no longer be changed.";
  if (present.text !== before.text) return "The text was changed elsewhere meanwhile. Saving here replaces it.";
  if (present.schedule_for !== before.schedule_for)
    return `This post was moved meanwhile: ${dayAndTime(present.schedule_for)}.`;
  return "";
}
