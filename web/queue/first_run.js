// What somebody sees who has not scheduled anything yet: a first post in twenty seconds, then what happens when X fails.

import { config } from "../lib/config.js";
import { h } from "../lib/dom.js";
import { now } from "../lib/times.js";
import { posts } from "../posts/posts.js";

const SECONDS = 20;
const FEW = 3; // whoever has more posts has seen it
const FIRST_TEXT = "My first scheduled post. It goes out by itself.";

/**
 * @param {(text: string, time: Date) => void} write Fills in the composer.
 * @returns {{element: HTMLElement, refresh: () => void}}
 */
export function firstRun(write) {
  const start = h(
    "section",
    { class: "first-run", "aria-label": "First steps", hidden: true },
    h("h2", null, `Send your first post in ${SECONDS} seconds`),
    h(
      "p",
      { class: "soft" },
      "Fill in an example, press Schedule, and watch the queue: it goes out by itself, to the second.",
    ),
    h("button", { type: "button", class: "button primary", on: { click: fill } }, "Fill in an example"),
  );
  const next = h(
    "section",
    { class: "first-run", "aria-label": "Next step", hidden: true },
    h("h2", null, "It went out. Now make X fail"),
    h(
      "p",
      { class: "soft" },
      "Choose a fault in the developer tools, schedule another post, and see how it is published nevertheless, once.",
    ),
    h("a", { class: "button primary", href: "#developer-tools" }, "Make X fail"),
  );
  const element = h("div", null, start, next);

  function fill() {
    write(FIRST_TEXT, new Date(now() + SECONDS * 1000));
  }

  function refresh() {
    const all = posts.all();
    start.hidden = posts.answeredAt === null || all.length > 0 || !posts.accounts.length;
    const isOut = all.length > 0 && all.every(({ state }) => state === "tweeted");
    next.hidden = !config.developerTools || !isOut || all.length >= FEW;
  }

  return { element, refresh };
}
