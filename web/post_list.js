// The lists: pending, published, failed, each by day.

import { clockNotice } from "./clock_notice.js";
import { h, keepingFocus, keyed, setText } from "./dom.js";
import { postArticle } from "./post_article.js";
import { listOf } from "./post_state.js";
import { posts } from "./posts.js";
import { dayKey, dayName, instant, now, publishedAt } from "./times.js";

/** So many posts of a list are shown, until one wants more: a thousand articles would keep the first paint waiting. */
const STEP = 30;

const WAITING = { loading: "Loading…", live: "Loading…", away: "Not known yet." };

const LISTS = [
  { name: "pending", title: "Pending", empty: "Nothing is waiting to go out.", order: soonestFirst },
  { name: "published", title: "Published", empty: "Nothing is published yet.", order: latestFirst },
  { name: "failed", title: "Failed", empty: "Nothing failed.", order: latestFirst },
];

/**
 * The three lists in `root`, which follow the posts by themselves.
 * @returns {{show: (id: number) => boolean}} `show` brings a post into view and gives it the focus; false: it is not there.
 */
export function postList(root) {
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
    const all = [...posts.all(), ...outlivers()];
    const sorted = Map.groupBy(all, listOf);
    const place = placeOfFocus(root);
    keepingFocus(() => {
      for (const list of lists) list.refresh(sorted.get(list.name) ?? []);
    });
    const ids = new Set(all.map(({ id }) => id));
    for (const id of articles.keys()) if (!ids.has(id)) articles.delete(id);
    if (place && !root.contains(document.activeElement)) focusAgain(place);
  }

  function articleOf(post) {
    if (!articles.has(post.id)) articles.set(post.id, postArticle(post, render));
    return articles.get(post.id);
  }

  /** Posts that are gone, in whose forms there are words that are not to go with them. */
  function outlivers() {
    if (!posts.heardAt) return []; // signed out
    const gone = [...articles].filter(([id]) => !posts.get(id));
    return gone.map(([, article]) => article.outlive()).filter(Boolean);
  }

  function tick() {
    if (document.hidden || root.hidden) return;
    if (today !== dayKey(now())) {
      today = dayKey(now());
      render();
    }
    for (const { element, tick: pass } of articles.values()) if (element.isConnected) pass();
  }

  function show(id) {
    const post = posts.get(id);
    if (!post) return false;
    lists.find(({ name }) => name === listOf(post)).reveal(post);
    const { element } = articles.get(post.id);
    element.scrollIntoView({ block: "center" });
    element.focus({ preventScroll: true });
    return true;
  }

  return { show };
}

function listSection({ name, title, empty, order }, articleOf, render) {
  let limit = STEP;
  let sorted = [];
  const heading = h("h2", { id: `${name}-title`, tabindex: -1 }, title);
  const nothing = h("p", { class: "empty" }, empty);
  const rows = h("div", { class: "rows" });
  const more = h("button", { type: "button", class: "button quiet more", on: { click: () => showUpTo(limit + STEP) } });
  const element = h(
    "section",
    { class: `list ${name}`, "aria-labelledby": heading.id },
    heading,
    nothing,
    rows,
    more,
  );
  const count = h("span", { class: "chip number" });
  const jump = h("button", { type: "button", class: "button quiet", on: { click: jumpHere } }, `${title} `, count);

  function refresh(all) {
    sorted = all.sort(order);
    const shown = sorted.slice(0, limit);
    setText(count, String(sorted.length));
    count.className = `chip number ${name === "failed" && sorted.length ? "bad" : ""}`;
    nothing.hidden = sorted.length > 0;
    setText(nothing, posts.heardAt ? empty : WAITING[posts.state]);
    const make = (row) => row.make(articleOf);
    keyed(rows, byDay(shown), ({ key }) => key, make, (node, row) => row.refresh(node, articleOf));
    more.hidden = sorted.length <= limit;
    setText(more, `Show ${Math.min(STEP, sorted.length - limit)} more of ${sorted.length - limit}`);
  }

  function showUpTo(number) {
    limit = number;
    render();
  }

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

/** The rows of a list: its posts, and a heading before the first of each day. */
function byDay(shown) {
  let day = null;
  return shown.flatMap((post) => {
    const at = timeOf(post);
    const isNew = dayKey(at) !== day;
    day = dayKey(at);
    return isNew ? [dayRow(day, at), postRow(post)] : [postRow(post)];
  });
}

function dayRow(day, at) {
  return {
    key: `day ${day}`,
    make: () => h("h3", { class: "day" }),
    refresh: (heading) => setText(heading, dayName(at)),
  };
}

function postRow(post) {
  return {
    key: post.id,
    make: (articleOf) => articleOf(post).element,
    refresh: (_, articleOf) => articleOf(post).refresh(post),
  };
}

function timeOf(post) {
  return publishedAt(post) ?? instant(post.schedule_for);
}

function soonestFirst(one, other) {
  return timeOf(one) - timeOf(other) || one.id - other.id;
}

function latestFirst(one, other) {
  return soonestFirst(other, one);
}

/** Where the focus is among the articles, to find its article again, or a neighbour when the post goes. */
function placeOfFocus(root) {
  const article = root.contains(document.activeElement) && document.activeElement.closest("article");
  if (!article) return null;
  return { article, list: article.closest("section"), index: [...article.parentNode.children].indexOf(article) };
}

function focusAgain({ article, list, index }) {
  if (article.isConnected) return article.focus({ preventScroll: true });
  const rows = [...list.querySelectorAll(".rows > *")];
  const near = rows.slice(index).concat(rows.slice(0, index).reverse()).find(({ tagName }) => tagName === "ARTICLE");
  return (near ?? list.querySelector("h2")).focus({ preventScroll: true });
}
