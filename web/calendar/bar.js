// Above the calendar: which days it shows, and buttons that lead to other days.

import { h, setAttribute, setText, svg } from "../lib/dom.js";
import { dayAndTime } from "../lib/times.js";

const ARROWS = { previous: "M10 3 5 8l5 5", next: "m6 3 5 5-5 5" };

/** @typedef {"week"|"month"} Kind */

/**
 * @param {object} actions What is called when the author presses a button.
 * @param {(direction: -1|1) => void} actions.turn
 * @param {() => void} actions.today
 * @param {(kind: Kind) => void} actions.choose
 * @param {() => void} actions.jump Goes to the post whose time `render` was given.
 */
export function calendarBar({ turn, today, choose, jump }) {
  const title = h("h2", { class: "calendar-title" });
  const previousButton = button(arrow("previous"), () => turn(-1));
  const nextButton = button(arrow("next"), () => turn(1));
  const week = button("Week", () => choose("week"));
  const month = button("Month", () => choose("month"));
  const summary = h("p");
  const toPost = button("", jump);
  const element = h(
    "div",
    null,
    h(
      "div",
      { class: "calendar-bar" },
      title,
      h("div", { class: "calendar-steps" }, previousButton, button("Today", today), nextButton),
      h("div", { class: "calendar-kinds", role: "group", "aria-label": "Shown days" }, week, month),
    ),
    h("div", { class: "calendar-line" }, summary, toPost),
  );

  /**
   * @param {object} shown
   * @param {Kind} shown.kind
   * @param {string} shown.name Of the days, as a title.
   * @param {string} shown.span Their number in words, such as "week".
   * @param {string} shown.description Of the posts in them.
   * @param {Date|null} shown.next The time of a post elsewhere, if there is none here.
   */
  function render({ kind, name, span, description, next }) {
    setText(title, name);
    setAttribute(previousButton, "aria-label", `Previous ${span}`);
    setAttribute(nextButton, "aria-label", `Next ${span}`);
    setAttribute(week, "aria-pressed", kind === "week");
    setAttribute(month, "aria-pressed", kind === "month");
    setText(summary, description);
    setText(toPost, next ? `Go to ${dayAndTime(next)}` : "");
    toPost.hidden = !next;
  }

  return { element, render };
}

/**
 * @param {Node|string} content
 * @param {() => void} click
 */
function button(content, click) {
  return h("button", { type: "button", class: "button quiet", on: { click } }, content);
}

/** @param {keyof typeof ARROWS} direction */
function arrow(direction) {
  const line = svg("path", { d: ARROWS[direction] });
  return svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, line);
}
