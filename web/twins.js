// Warns of posts that look like one another by mistake. X refuses the same text twice; the same minute is a matter of
// taste. Neither keeps one from scheduling.

import { h } from "./dom.js";
import { listOf } from "./post_state.js";
import { posts } from "./posts.js";
import { dayAndTime } from "./times.js";

const MINUTE = 60_000;

/**
 * Warns, or takes a warning back.
 * @param {{text: string, date: Date|null}} draft
 * @param {{text: HTMLElement, date: HTMLElement}} warnings Where the words appear.
 */
export function warnOfTwins(draft, warnings) {
  const pending = draft.text.trim() ? posts.all().filter((post) => listOf(post) === "pending") : [];
  const twin = pending.find((post) => normal(post.text) === normal(draft.text));
  warn(warnings.text, twin, () => `A pending post has the same text: ${dayAndTime(twin.schedule_for)}.`);
  const neighbour = draft.date && pending.find((post) => minute(post.schedule_for) === minute(draft.date));
  warn(warnings.date, neighbour, () => "Another pending post goes out in the same minute.");
}

function warn(warning, post, words) {
  warning.hidden = !post;
  if (!post || warning.dataset.of === `${post.id} ${post.updated_at}`) return;
  warning.dataset.of = `${post.id} ${post.updated_at}`;
  warning.replaceChildren(`${words()} `, h("a", { href: `#posts/${post.id}` }, "Show it"));
}

function normal(text) {
  return text.normalize("NFC").replace(/\s+/gu, " ").trim();
}

function minute(value) {
  return Math.floor(new Date(value) / MINUTE);
}
