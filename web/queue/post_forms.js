// The forms with which an author changes a post: its text, its time, or by deleting it. A form appears in the place of
// the post's buttons, and stays when the change fails, with everything that was typed.

import { lengthGauge } from "../composer/text_field.js";
import { whenField } from "../composer/when_field.js";
import { h, showMessage } from "../lib/dom.js";
import { focusFirstInvalid, showFieldError } from "../lib/field_error.js";
import { messageOf } from "../lib/http.js";
import { dayAndTime, instant } from "../lib/times.js";
import { editText, move, remove } from "../posts/actions.js";
import { textError } from "../text/text_length.js";

/** @import { Post } from "../posts/posts.js" */

/**
 * @typedef {object} PostForm
 * @property {HTMLFormElement} element
 * @property {HTMLElement} focus What gets the focus.
 * @property {(post: Post|null) => void} refresh Takes the post as it is now; null: it was deleted.
 * @property {() => boolean} isTouched Whether its author has typed in it.
 */

const DELETED = "This post was deleted.";
const DELETED_WITH_TEXT = "This post was deleted. Copy your text or schedule it as new.";
const DELETE_UNKNOWN = "Delete this post? If it is on X already, it stays there. There is no undo.";

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
  const picks = h("div", { class: "quick-picks", role: "group", "aria-label": "Quick picks" });
  const when = whenField(field, hint, picks);
  when.set(instant(post.schedule_for));
  field.addEventListener("input", () => showFieldError(field, error, null));
  return postForm(post, {
    name: "Move",
    children: [h("div", { class: "field" }, h("label", { for: id }, "New time"), field, hint, error), picks],
    focus: field,
    check: () => showFieldError(field, error, when.error()),
    act: () => move(post.id, when.date() ?? instant(post.schedule_for)),
    close,
  });
}

/**
 * Asks for a confirmation and deletes it.
 * @param {Post} post
 * @param {() => void} close
 * @returns {PostForm}
 */
export function removeForm(post, close) {
  return postForm(post, {
    name: "Delete",
    children: [h("p", null, post.state === "unknown" ? DELETE_UNKNOWN : "Delete this post? There is no undo.")],
    submit: "Delete it",
    cancel: "Keep it",
    tone: "danger",
    act: () => remove(post.id),
    close,
  });
}

/**
 * @param {Post} opened The post as it was when the form was opened.
 * @param {object} options
 * @param {string} options.name What the form is for, to screen readers.
 * @param {HTMLElement[]} options.children Its fields.
 * @param {HTMLElement} [options.focus] Without it, the button that leaves gets the focus.
 * @param {string} [options.submit] The name of the button that submits.
 * @param {string} [options.cancel] The name of the button that leaves; Escape leaves as well, until something is typed.
 * @param {string} [options.tone] "danger" for what cannot be undone.
 * @param {() => void} [options.check] Shows the errors of the fields, if there are any.
 * @param {() => Promise<unknown>} options.act
 * @param {() => void} options.close
 * @param {string} [options.deleted] What to show when the post was deleted.
 * @returns {PostForm}
 */
function postForm(opened, options) {
  const {
    name,
    children,
    submit = "Save",
    cancel = "Cancel",
    tone = "",
    check,
    act,
    close,
    deleted = DELETED,
  } = options;
  const change = h("p", { class: "notice wait", role: "status", hidden: true });
  const failure = h("p", { class: "notice bad", role: "alert", hidden: true });
  const button = h("button", { class: `button ${tone}` }, submit);
  const leave = h("button", { type: "button", class: "button quiet", on: { click: close } }, cancel);
  const element = h(
    "form",
    { class: "inline-form", "aria-label": name, novalidate: true, on: { submit: save, keydown: takeKey } },
    ...children,
    change,
    failure,
    h("div", { class: "inline-buttons" }, button, leave),
  );
  let isTouched = false;
  element.addEventListener("input", () => {
    isTouched = true;
  });

  /** @param {SubmitEvent} event */
  async function save(event) {
    event.preventDefault();
    if (button.getAttribute("aria-busy") === "true") return;
    check?.();
    if (focusFirstInvalid(element)) return;
    button.setAttribute("aria-busy", "true");
    showMessage(failure, "");
    try {
      await act();
      close();
    } catch (error) {
      showMessage(failure, messageOf(error));
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

  return { element, focus: options.focus ?? leave, refresh, isTouched: () => isTouched };
}

/**
 * What changed since the form was opened, as a sentence; empty when nothing relevant changed.
 * @param {Post} before
 * @param {Post|null} now
 * @param {string} deleted
 */
function changeOf(before, now, deleted) {
  if (!now) return deleted;
  if (now.state === "sending" && before.state !== "sending") return "This post is being published just now.";
  if (now.state === "tweeted") return "This post was published meanwhile. It can no longer be changed.";
  if (now.text !== before.text) return "The text was changed elsewhere meanwhile. Saving here replaces it.";
  if (now.schedule_for !== before.schedule_for)
    return `This post was moved meanwhile: ${dayAndTime(now.schedule_for)}.`;
  return "";
}
