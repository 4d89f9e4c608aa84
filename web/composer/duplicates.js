// Warns of a pending post with the same text, which X refuses, or in the same minute. Neither prevents scheduling.

import { h } from "../lib/dom.js";
import { dayAndTime, instant } from "../lib/times.js";
import { listOf } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";

/** @import { Post } from "../posts/posts.js" */

const MINUTE = 60_000;

/**
 * Shows or hides the warnings.
 * @param {{text: string, date: Date|null}} draft
 * @param {{text: HTMLElement, date: HTMLElement}} warnings Where they appear.
 */
export function warnOfDuplicates({ text, date }, warnings) {
  const pending = text.trim() ? posts.all().filter((post) => listOf(post) === "pending") : [];
  const duplicate = pending.find((post) => normalised(post.text) === normalised(text));
  warn(warnings.text, duplicate, (post) => `A pending post has the same text: ${dayAndTime(post.schedule_for)}.`);
  const neighbour = date ? pending.find((post) => minute(post.schedule_for) === minute(date)) : undefined;
  warn(warnings.date, neighbour, () => "Another pending post is scheduled for the same minute.");
}

/**
 * @param {HTMLElement} warning
 * @param {Post|undefined} post
 * @param {(post: Post) => string} message
 */
function warn(warning, post, message) {
  warning.hidden = !post;
  if (!post || warning.dataset.of === `${post.id} ${post.updated_at}`) return;
  warning.dataset.of = `${post.id} ${post.updated_at}`;
  warning.replaceChildren(`${message(post)} `, h("a", { href: `#posts/${post.id}` }, "Show it"));
}

/** @param {string} text */
function normalised(text) {
  return text.normalize("NFC").replace(/\s+/gu, " ").trim();
}

/** @param {string|Date} value */
function minute(value) {
  return Math.floor(instant(value).getTime() / MINUTE);
}
