// The lists: pending, published, failed, each by day.

import { behind, clock } from "../lib/clock.js";
import { h, keepingFocus, keyed, setText, showMessage } from "../lib/dom.js";
import { dayKey, dayName, duration, instant, now, publishedAt } from "../lib/times.js";
import { listOf } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";
import { postArticle } from "./post_article.js";

/** @import { Article } from "./post_article.js" */
/** @import { Post } from "../posts/posts.js" */

/** So many posts of a list are shown at first: a thousand articles would delay the first paint. */
const STEP = 30;
const MINUTE = 60_000;

const LOADING = { loading: "Loading…", live: "Loading…", offline: "Not known yet." };

const LISTS = /** @type {const} */ ([
  { name: "pending", title: "Pending", empty: "No post is pending.", order: soonestFirst },
  { name: "published", title: "Published", empty: "No post is published yet.", order: latestFirst },
  { name: "failed", title: "Failed", empty: "No post failed.", order: latestFirst },
]);

/**
 * The three lists in `root`, which follow the posts by themselves.
 * @param {HTMLElement} root
 * @returns {{show: (id: number) => boolean}} `show` brings a post into view and gives it the focus; false: there is no
 *   such post.
 */
export function postList(root) {
  /** @type {Map<number, Article>} */
  const articles = new Map();
  const lists = LISTS.map((list) => listSection(list, articleOf, render));
  const jumps = h("nav", { class: "jumps", "aria-label": "Lists" }, ...lists.map(({ jump }) => jump));
  root.append(clockNotice(), jumps, ...lists.map(({ element }) => element));

  posts.addEventListener("change", render);
  posts.addEventListener("status", render);
  setInterval(tick, 1000);
  let today = dayKey(now());
  render();

  function render() {
    const all = [...posts.all(), ...deletedWithText()];
    const sorted = Map.groupBy(all, listOf);
    const place = placeOfFocus(root);
    keepingFocus(() => {
      for (const list of lists) list.refresh(sorted.get(list.name) ?? []);
    });
    const ids = new Set(all.map(({ id }) => id));
    for (const id of articles.keys()) if (!ids.has(id)) articles.delete(id);
    if (place && !root.contains(document.activeElement)) restoreFocus(place);
  }

  /** @param {Post} post */
  function articleOf(post) {
    const article = articles.get(post.id) ?? postArticle(post, render);
    articles.set(post.id, article);
    return article;
  }

  /** Deleted posts whose forms hold text that their author typed. */
  function deletedWithText() {
    if (!posts.answeredAt) return []; // signed out
    const deleted = [...articles].filter(([id]) => !posts.get(id));
    return deleted.map(([, article]) => article.keepDeleted()).filter((post) => post !== null);
  }

  function tick() {
    if (document.hidden || root.hidden) return;
    if (today !== dayKey(now())) {
      today = dayKey(now());
      render();
    }
    for (const article of articles.values()) if (article.element.isConnected) article.tick();
  }

  /** @param {number} id */
  function show(id) {
    const post = posts.get(id);
    if (!post) return false;
    lists.find(({ name }) => name === listOf(post))?.reveal(post);
    const { element } = articleOf(post);
    element.scrollIntoView({ block: "center" });
    element.focus({ preventScroll: true });
    return true;
  }

  return { show };
}

/**
 * @param {(typeof LISTS)[number]} list
 * @param {(post: Post) => Article} articleOf
 * @param {() => void} render
 */
function listSection({ name, title, empty, order }, articleOf, render) {
  let limit = STEP;
  /** @type {Post[]} */
  let sorted = [];
  const heading = h("h2", { id: `${name}-title`, tabindex: -1 }, title);
  const nothing = h("p", { class: "empty" }, empty);
  const rows = h("div", { class: "rows" });
  const more = h("button", { type: "button", class: "button quiet more", on: { click: () => showUpTo(limit + STEP) } });
  const element = h("section", { class: `list ${name}`, "aria-labelledby": heading.id }, heading, nothing, rows, more);
  const count = h("span", { class: "chip number" });
  const jump = h("button", { type: "button", class: "button quiet", on: { click: jumpHere } }, `${title} `, count);

  /** @param {Post[]} all */
  function refresh(all) {
    sorted = all.sort(order);
    const shown = sorted.slice(0, limit);
    setText(count, String(sorted.length));
    count.className = `chip number ${name === "failed" && sorted.length ? "bad" : ""}`;
    nothing.hidden = sorted.length > 0;
    setText(nothing, posts.answeredAt ? empty : LOADING[posts.state]);
    keyed(
      rows,
      byDay(shown),
      ({ key }) => key,
      ({ post }) => (post ? articleOf(post).element : h("h3", { class: "day" })),
      (node, { post, at }) => (post ? articleOf(post).refresh(post) : setText(node, dayName(at))),
    );
    more.hidden = sorted.length <= limit;
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
    if (place >= limit) showUpTo(place + STEP);
  }

  function jumpHere() {
    element.scrollIntoView();
    heading.focus({ preventScroll: true });
  }

  return { name, element, jump, refresh, reveal };
}

/**
 * The rows of a list: its posts, and before the first of each day a heading, without a post.
 * @param {Post[]} shown
 * @returns {{key: string|number, at: Date, post: Post|null}[]}
 */
function byDay(shown) {
  let day = "";
  return shown.flatMap((post) => {
    const at = timeOf(post);
    const row = { key: post.id, at, post };
    if (dayKey(at) === day) return [row];
    day = dayKey(at);
    return [{ key: `day ${day}`, at, post: null }, row];
  });
}

/** @param {Post} post */
function timeOf(post) {
  return publishedAt(post) ?? instant(post.schedule_for);
}

/**
 * @param {Post} one
 * @param {Post} other
 */
function soonestFirst(one, other) {
  return timeOf(one).getTime() - timeOf(other).getTime() || one.id - other.id;
}

/**
 * @param {Post} one
 * @param {Post} other
 */
function latestFirst(one, other) {
  return soonestFirst(other, one);
}

/** The time of a device may be wrong, but posts are published by the server's. The notice is hidden while it is right. */
function clockNotice() {
  const notice = h("p", { class: "notice wait", role: "status", hidden: true });

  function refresh() {
    const difference = behind();
    const length = duration(Math.round(Math.abs(difference) / MINUTE) * MINUTE);
    const direction = difference > 0 ? "behind" : "ahead";
    const message = `This device's clock is ${length} ${direction}. The times here are by the server's clock.`;
    showMessage(notice, difference ? message : "");
  }

  clock.addEventListener("change", refresh);
  refresh();
  return notice;
}

/**
 * The article that has the focus, and its place, to find a neighbour when the post is deleted.
 * @typedef {{article: HTMLElement, list: HTMLElement, index: number}} Place
 * @param {HTMLElement} root
 * @returns {Place|null}
 */
function placeOfFocus(root) {
  const focused = document.activeElement;
  const article = focused && root.contains(focused) ? focused.closest("article") : null;
  const list = article?.closest("section");
  if (!article || !list) return null;
  return { article, list, index: [...(article.parentElement?.children ?? [])].indexOf(article) };
}

/** @param {Place} place */
function restoreFocus({ article, list, index }) {
  const rows = /** @type {HTMLElement[]} */ ([...list.querySelectorAll(".rows > *")]);
  const nearest = rows.slice(index).concat(rows.slice(0, index).reverse());
  const target = article.isConnected ? article : nearest.find(({ tagName }) => tagName === "ARTICLE");
  (target ?? list.querySelector("h2"))?.focus({ preventScroll: true });
}
