// Above the calendar: which days it shows and the way to others.

import { h, setAttribute, setText, svg } from "./dom.js";
import { dayAndTime } from "./times.js";

const ARROWS = { back: "M10 3 5 8l5 5", on: "m6 3 5 5-5 5" };

/**
 * @param {object} asked What is called when the author asks for it.
 * @param {(direction: -1|1) => void} asked.turn
 * @param {() => void} asked.today
 * @param {(kind: "week"|"month") => void} asked.choose
 * @param {() => void} asked.jump Goes to the post that `render` was told of.
 */
export function calendarBar({ turn, today, choose, jump }) {
  const title = h("h2", { class: "calendar-title" });
  const back = button(arrow("back"), () => turn(-1));
  const on = button(arrow("on"), () => turn(1));
  const kinds = { week: button("Week", () => choose("week")), month: button("Month", () => choose("month")) };
  const summary = h("p");
  const toPost = button("", jump);
  const element = h(
    "div",
    null,
    h(
      "div",
      { class: "calendar-bar" },
      title,
      h("div", { class: "calendar-steps" }, back, button("Today", today), on),
      h("div", { class: "calendar-kinds", role: "group", "aria-label": "Shown days" }, kinds.week, kinds.month),
    ),
    h("div", { class: "calendar-line" }, summary, toPost),
  );

  /**
   * @param {object} shown
   * @param {"week"|"month"} shown.kind
   * @param {string} shown.name Of the days, as a title.
   * @param {string} shown.span Of that many days, such as "week".
   * @param {string} shown.words About the posts in them.
   * @param {Date|null} shown.next The time of a post elsewhere, where there is none here.
   */
  function render({ kind, name, span, words, next }) {
    setText(title, name);
    setAttribute(back, "aria-label", `Previous ${span}`);
    setAttribute(on, "aria-label", `Next ${span}`);
    for (const [one, choice] of Object.entries(kinds)) setAttribute(choice, "aria-pressed", String(one === kind));
    setText(summary, words);
    setText(toPost, next ? `Go to ${dayAndTime(next)}` : "");
    toPost.hidden = !next;
  }

  return { element, render };
}

function button(content, click) {
  return h("button", { type: "button", class: "button quiet", on: { click } }, content);
}

function arrow(direction) {
  const line = svg("path", { d: ARROWS[direction] });
  return svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, line);
}
