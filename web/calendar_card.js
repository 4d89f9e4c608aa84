// The small card about a post, beside its button, and the question before a post goes into the past.

import { h, setText } from "./dom.js";
import { explanationOf, stateOf } from "./post_state.js";
import { dayAndTime, inSeconds, lateness } from "./times.js";

/** A card that goes away by itself. `show` puts it at a button, with what is known about its post. */
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

  function show(post, at, button) {
    const { word, tone } = stateOf(post);
    setText(time, dayAndTime(at));
    setText(chip, word);
    chip.className = `chip ${tone}`;
    setText(text, post.text);
    const late = lateness(post);
    setText(why, late === null ? explanationOf(post) : `${inSeconds(Math.abs(late))} ${late < 0 ? "early" : "late"}`);
    link.href = `#posts/${post.id}`;
    element.showPopover();
    place(button);
  }

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

/** @returns {{element: HTMLDialogElement, ask: (words: string) => Promise<boolean>}} */
export function pastQuestion() {
  const heading = h("h2", { id: "past-title" });
  const no = h("button", { class: "button", value: "no" }, "Put it back");
  const element = h(
    "dialog",
    { class: "card past-question", "aria-labelledby": "past-title", "aria-describedby": "past-words" },
    heading,
    h("p", { id: "past-words" }, "There the post goes out at once. If that time is too long ago, it counts as missed."),
    h(
      "form",
      { method: "dialog" },
      no,
      h("button", { class: "button quiet danger", value: "yes" }, "Move it all the same"),
    ),
  );

  function ask(words) {
    setText(heading, words);
    element.returnValue = "no";
    element.showModal();
    no.focus();
    return new Promise((resolve) => {
      element.addEventListener("close", () => resolve(element.returnValue === "yes"), { once: true });
    });
  }

  return { element, ask };
}
