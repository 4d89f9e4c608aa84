// A region of posts, by day: so many of them, and a button that shows more.

import { h, keyed, setText } from "../lib/dom.js";
import { dayKey, dayName, instant, publishedAt } from "../lib/times.js";
import { posts } from "../posts/posts.js";

/** @import { Post } from "../posts/posts.js" */
/** @import { Row } from "./post_row.js" */

const STEP = 30; // a thousand rows would delay the first paint
const LOADING = { loading: "Loading…", live: "Loading…", offline: "Not known yet." };

/**
 * @typedef {object} ListOptions
 * @property {string} name
 * @property {string} title What screen readers call the region.
 * @property {string} empty What it says when it has no posts.
 * @property {(one: Post, other: Post) => number} order
 * @typedef {ReturnType<typeof listSection>} ListSection
 */

/**
 * @param {ListOptions} options
 * @param {(post: Post) => Row} rowOf
 * @param {() => void} render Called when more are to be shown.
 */
export function listSection({ name, title, empty, order }, rowOf, render) {
  let limit = STEP;
  /** @type {Post[]} */
  let sorted = [];
  const heading = h("h2", { id: `${name}-title`, tabindex: -1 }, title);
  const count = h("span", { class: "soft number", "aria-hidden": "true" });
  const nothing = h("p", { class: "empty" }, empty);
  const rows = h("div", { class: "rows" });
  const more = h("button", { type: "button", class: "button more", on: { click: () => showUpTo(limit + STEP) } });
  const all = h("a", { class: "button quiet", hidden: true });
  const element = h(
    "section",
    { class: `list ${name}`, "aria-labelledby": heading.id },
    h("div", { class: "list-head" }, heading, count, all),
    nothing,
    rows,
    more,
  );

  /**
   * @param {Post[]} those
   * @param {{atMost?: number, href?: string}} [excerpt] Shows no more than so many at first, and a link to all.
   */
  function refresh(those, { atMost = Infinity, href = "" } = {}) {
    sorted = those.sort(order);
    const most = Math.min(limit, limit > STEP ? Infinity : atMost);
    const shown = sorted.slice(0, most);
    setText(count, String(sorted.length));
    nothing.hidden = sorted.length > 0;
    setText(nothing, posts.answeredAt ? empty : LOADING[posts.state]);
    keyed(
      rows,
      byDay(shown),
      ({ key }) => key,
      ({ post }) => (post ? rowOf(post).element : h("h3", { class: "day" })),
      (node, { post, at }) => (post ? rowOf(post).refresh(post) : setText(node, dayTitle(at))),
    );
    const isExcerpt = most < limit && sorted.length > most;
    all.hidden = !isExcerpt;
    if (isExcerpt) all.href = href;
    setText(all, `Show all ${sorted.length}`);
    more.hidden = isExcerpt || sorted.length <= limit;
    setText(more, `Show ${Math.min(STEP, sorted.length - limit)} more of ${sorted.length - limit}`);
  }

  /** @param {number} number */
  function showUpTo(number) {
    limit = number;
    render();
  }

  /** @param {Post} post */
  function reveal(post) {
    const place = sorted.findIndex(({ id }) => id === post.id);
    if (place >= 0 && !rowOf(post).element.isConnected) showUpTo(place + STEP + 1);
  }

  return { name, element, heading, refresh, reveal };
}

/**
 * The rows of a list: its posts, and before the first of each day a heading, without a post.
 * @param {Post[]} shown
 * @returns {{key: string|number, at: Date|null, post: Post|null}[]}
 */
function byDay(shown) {
  let day = "";
  return shown.flatMap((post) => {
    const at = timeOf(post);
    const key = at ? dayKey(at) : "no time";
    const row = { key: post.id, at, post };
    if (key === day) return [row];
    day = key;
    return [{ key: `day ${day}`, at, post: null }, row];
  });
}

/** @param {Date|null} at */
function dayTitle(at) {
  return at ? dayName(at) : "No time yet";
}

/**
 * When a post goes out, or went out; null: a draft without a time.
 * @param {Post} post
 */
export function timeOf(post) {
  if (!post.schedule_for) return null;
  return publishedAt(post) ?? instant(post.schedule_for);
}
