// The forms with which an author changes a post that is there: its text, its time, or that it is there at all.
//
// Each returns {element, focus, refresh, isTouched}: `focus` is what gets the focus, `refresh(post)` tells what changed
// meanwhile, with null that the post is gone; `isTouched()`: its author has typed in it.

import { editText, move, remove } from "./actions.js";
import { h } from "./dom.js";
import { showFault } from "./faults.js";
import { inlineForm } from "./inline_form.js";
import { lengthRing } from "./text_field.js";
import { textFault } from "./text_length.js";
import { dayAndTime, instant } from "./times.js";
import { whenField } from "./when_field.js";

/** Edits the text. */
export function editForm(post, close) {
  const id = `edit-${post.id}`;
  const field = h("textarea", { id, rows: 4, dir: "auto", "aria-describedby": `${id}-length ${id}-fault` });
  field.value = post.text;
  const fault = h("p", { class: "fault", id: `${id}-fault`, hidden: true });
  const ring = lengthRing(field, `${id}-length`);
  field.addEventListener("input", () => showFault(field, fault, null));
  const { element, tell, isTouched } = inlineForm({
    name: "Edit",
    children: [h("div", { class: "field" }, h("label", { for: id }, "Text"), field, ring.element, fault)],
    check: () => showFault(field, fault, textFault(field.value)),
    act: () => editText(post.id, field.value),
    close,
  });
  return { element, focus: field, refresh: (news) => tell(news ? changes(post, news) : DELETED), isTouched };
}

/** Moves it to another time; what ended badly is tried again then. */
export function moveForm(post, close) {
  const id = `move-${post.id}`;
  const field = h("input", {
    id,
    type: "datetime-local",
    step: 1,
    "aria-describedby": `${id}-hint ${id}-fault`,
  });
  const hint = h("p", { class: "hint when-hint", id: `${id}-hint` });
  const fault = h("p", { class: "fault", id: `${id}-fault`, hidden: true });
  const picks = h("div", { class: "quick-picks", role: "group", "aria-label": "Quick picks" });
  const when = whenField(field, hint, picks);
  when.set(instant(post.schedule_for));
  field.addEventListener("input", () => showFault(field, fault, null));
  const { element, tell, isTouched } = inlineForm({
    name: "Move",
    children: [h("div", { class: "field" }, h("label", { for: id }, "New time"), field, hint, fault), picks],
    check: () => showFault(field, fault, when.fault()),
    act: () => move(post.id, when.date()),
    close,
  });

  return { element, focus: field, refresh: (news) => tell(changes(post, news)), isTouched };
}

/** Asks once whether to delete it. */
export function removeForm(post, close) {
  const { element, tell, isTouched } = inlineForm({
    name: "Delete",
    children: [h("p", null, post.state === "unknown" ? DELETE_UNKNOWN : "Delete this post? There is no undo.")],
    submit: "Delete it",
    cancel: "Keep it",
    tone: "danger",
    act: () => remove(post.id),
    close,
  });
  const keepIt = element.querySelector("[type=button]");
  return { element, focus: keepIt, refresh: (news) => tell(changes(post, news)), isTouched };
}

const DELETED = "This post was deleted. Copy your text or schedule it as new.";
const DELETE_UNKNOWN = "Delete this post? If it is on X already, it stays there. There is no undo.";

/** What is different from when the form was opened, in words; empty when nothing is that matters. */
function changes(before, now) {
  if (!now) return "This post was deleted.";
  if (now.state === "sending" && before.state !== "sending") return "This post is being published just now.";
  if (now.state === "tweeted") return "This post was published meanwhile. It can no longer be changed.";
  if (now.text !== before.text) return "The text was changed elsewhere meanwhile. Saving here replaces it.";
  if (now.schedule_for !== before.schedule_for) return `This post was moved meanwhile: ${dayAndTime(now.schedule_for)}.`;
  return "";
}
