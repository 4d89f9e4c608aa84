// The author's posts: a queue with what needs attention first, drafts, and what was sent.

import { behind, clock } from "../lib/clock.js";
import { h, keepingFocus, setAttribute, setText, showMessage } from "../lib/dom.js";
import { messageOf } from "../lib/http.js";
import { dayKey, duration, now } from "../lib/times.js";
import { showToast } from "../lib/toast.js";
import { isHeld, listOf, needsAttention } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";
import { waitingActions } from "../posts/undo.js";
import { postFilter } from "./filter.js";
import { firstRun } from "./first_run.js";
import { listSection, timeOf } from "./list_section.js";
import { orderHold } from "./order_hold.js";
import { pauseBanners } from "./pause_banner.js";
import { postRow } from "./post_row.js";
import { selection } from "./selection.js";

/** @import { Action } from "../posts/post_state.js" */
/** @import { Post } from "../posts/posts.js" */
/** @import { Row } from "./post_row.js" */

const MINUTE = 60_000;
const FEW = 5;

const LISTS = /** @type {const} */ ([
  { name: "failed", title: "Failed", empty: "No post failed.", order: latestFirst },
  {
    name: "drafts",
    title: "Drafts",
    empty: "No drafts. “Save as draft” in the composer keeps one here.",
    order: soonestFirst,
  },
  { name: "pending", title: "Pending", empty: "No post is pending.", order: soonestFirst },
  { name: "published", title: "Published", empty: "No post is published yet.", order: latestFirst },
]);

/**
 * The tabs: which lists each shows, and of which lists an excerpt.
 * @type {Record<string, {title: string, lists: string[], excerpt?: Record<string, {atMost: number, href: string}>}>}
 */
const TABS = {
  queue: {
    title: "Queue",
    lists: ["failed", "pending", "published"],
    excerpt: { failed: { atMost: 3, href: "#posts/attention" }, published: { atMost: FEW, href: "#posts/sent" } },
  },
  drafts: { title: "Drafts", lists: ["drafts"] },
  sent: { title: "Sent", lists: ["published"] },
  attention: { title: "Needs attention", lists: ["failed", "pending"] },
};

/**
 * @param {HTMLElement} root
 * @param {object} composer
 * @param {(post: Post) => void} composer.write Brings a draft into the composer.
 * @param {(text: string, time?: Date) => void} composer.reuse Begins a new post with this text.
 */
export function queue(root, { write, reuse }) {
  let tab = "queue";
  /** @type {Map<number, Row>} */
  const rows = new Map();
  const filter = postFilter(layOut);
  const selected = selection(filter.accepts, layOut);
  const banners = pauseBanners();
  const steps = firstRun(reuse);
  const lists = LISTS.map((list) => listSection(list, rowOf, layOut));
  const links = Object.entries(TABS).map(([name, { title }]) => tabLink(name, title));
  const tabs = h("nav", { class: "tabs", "aria-label": "Lists" }, ...links.map(({ element }) => element));
  const nothing = h(
    "p",
    { class: "empty", hidden: true },
    "No post matches. ",
    h("button", { type: "button", class: "button quiet", on: { click: filter.clear } }, "Show all"),
  );
  root.append(
    clockNotice(),
    banners.element,
    steps.element,
    h("div", { class: "queue-head" }, tabs, h("div", { class: "queue-tools" }, filter.element, selected.toggle)),
    selected.bar,
    nothing,
    ...lists.map(({ element }) => element),
  );

  const hold = orderHold(root, render);
  posts.addEventListener("change", render);
  posts.addEventListener("status", render);
  waitingActions.addEventListener("change", refreshRows);
  waitingActions.addEventListener("failure", showFailure);
  setInterval(tick, 1000);
  let today = dayKey(now());
  render();

  function render() {
    showCounts();
    banners.refresh();
    steps.refresh();
    if (hold.isHeld() && !isEmpty()) refreshRows();
    else layOut();
  }

  /** Whether no row is shown that could come under the pointer. */
  function isEmpty() {
    return !root.querySelector("article");
  }

  /** Also at once after what the author does, who expects that rows change their places. */
  function layOut() {
    const all = [...posts.all(), ...posts.drafts(), ...deletedWithText()];
    filter.refresh(all);
    selected.refresh();
    const byList = Map.groupBy(all.filter(filter.accepts), listOf);
    const place = placeOfFocus(root);
    keepingFocus(() => {
      for (const list of lists) showList(list, byList.get(/** @type {any} */ (list.name)) ?? []);
    });
    nothing.hidden = !filter.isOn() || !isEmpty();
    const ids = new Set(all.map(({ id }) => id));
    for (const id of rows.keys()) if (!ids.has(id)) rows.delete(id);
    if (place && !root.contains(document.activeElement)) restoreFocus(place);
  }

  /**
   * @param {(typeof lists)[number]} list
   * @param {Post[]} those
   */
  function showList(list, those) {
    const { lists: shown, excerpt = {} } = TABS[tab];
    const own = tab === "attention" && list.name === "pending" ? those.filter(isHeld) : those;
    const isWanted = shown.includes(list.name);
    const isLeftOut =
      !own.length &&
      (filter.isOn() ||
        (list.name === "failed" && tab === "queue") ||
        (tab === "attention" && list.name === "pending"));
    list.element.hidden = !isWanted || isLeftOut;
    list.refresh(list.element.hidden ? [] : own, filter.isOn() ? {} : excerpt[list.name]);
  }

  /** Shows the posts as they are now, each in its place. */
  function refreshRows() {
    for (const [id, row] of rows) {
      const post = posts.get(id);
      if (post && row.element.isConnected) row.refresh(post);
    }
  }

  /** @param {Post} post */
  function rowOf(post) {
    const row = rows.get(post.id) ?? postRow(post, { onLeft: layOut, write, reuse, onSelect: select });
    rows.set(post.id, row);
    row.showSelection(selected.isOn(), selected.has(post.id));
    return row;
  }

  /**
   * @param {number} id
   * @param {boolean} isSelected
   */
  function select(id, isSelected) {
    selected.select(id, isSelected);
    rows.get(id)?.showSelection(true, isSelected);
  }

  /** Deleted posts whose forms hold text that their author typed. */
  function deletedWithText() {
    if (!posts.answeredAt) return []; // signed out
    const deleted = [...rows].filter(([id]) => !posts.get(id));
    return deleted.map(([, row]) => row.keepDeleted()).filter((post) => post !== null);
  }

  function showCounts() {
    const all = posts.all();
    const attention = all.filter(needsAttention).length;
    const counts = {
      queue: all.filter((post) => listOf(post) === "pending").length,
      drafts: posts.drafts().length,
      attention,
    };
    for (const link of links)
      link.show(link.name === tab, counts[/** @type {"drafts"} */ (link.name)], posts.answeredAt !== null);
    document.title = `${attention ? `(${attention}) ` : ""}Scheduled posts`;
  }

  function tick() {
    if (document.hidden || root.closest("[hidden]")) return;
    banners.refresh();
    if (today !== dayKey(now())) {
      today = dayKey(now());
      render();
    }
    for (const row of rows.values()) if (row.element.isConnected) row.tick();
  }

  /** @param {Event} event */
  function showFailure(event) {
    const { ids, error } = /** @type {CustomEvent<{ids: number[], error: unknown}>} */ (event).detail;
    const row = ids.length === 1 ? rows.get(ids[0]) : undefined;
    if (row?.element.isConnected) row.showFailure(error);
    else showToast(messageOf(error), { tone: "bad" });
  }

  /** @param {string} name Of the tab; of none: the queue is shown. */
  function showTab(name) {
    const wanted = Object.hasOwn(TABS, name) ? name : "queue";
    if (wanted !== tab) {
      tab = wanted;
      selected.turn(false);
    }
    showCounts();
    layOut();
  }

  /**
   * Brings a post into view, in the tab that has it.
   * @param {number} id
   * @returns {boolean} Whether there is such a post.
   */
  function show(id) {
    const post = posts.get(id);
    if (!post) return false;
    if (filter.isOn()) filter.clear();
    showTab(post.state === "draft" ? "drafts" : "queue");
    lists.find(({ name }) => name === listOf(post))?.reveal(post);
    const row = rowOf(post);
    row.open();
    row.element.scrollIntoView({ block: "center" });
    row.element.focus({ preventScroll: true });
    return true;
  }

  /**
   * Gives the focus to the next post, or the one before.
   * @param {-1|1} direction
   */
  function step(direction) {
    const articles = /** @type {HTMLElement[]} */ ([...root.querySelectorAll("section:not([hidden]) article")]);
    const at = articles.findIndex((article) => article.contains(document.activeElement));
    const next = at === -1 ? (direction === 1 ? 0 : articles.length - 1) : at + direction;
    articles[next]?.focus();
    articles[next]?.scrollIntoView({ block: "nearest" });
  }

  /**
   * Begins an action of the post that has the focus.
   * @param {Action} name
   */
  function actOnFocused(name) {
    for (const row of rows.values()) {
      if (row.element === document.activeElement || row.element.contains(document.activeElement)) return row.act(name);
    }
    return false;
  }

  return {
    show,
    showTab,
    step,
    actOnFocused,
    search: () => filter.search.focus(),
    select: () => selected.turn(!selected.isOn()),
  };
}

/**
 * @param {string} name
 * @param {string} title
 */
function tabLink(name, title) {
  const count = h("span", { class: "chip number" });
  const element = h("a", { href: `#posts/${name}` }, `${title} `, count);

  /**
   * @param {boolean} isCurrent
   * @param {number|undefined} number
   * @param {boolean} isKnown
   */
  function show(isCurrent, number, isKnown) {
    setAttribute(element, "aria-current", isCurrent ? "page" : null);
    count.hidden = !isKnown || !number;
    setText(count, String(number ?? ""));
    count.className = `chip number ${name === "attention" ? "bad" : ""}`;
  }

  return { name, element, show };
}

/**
 * @param {Post} one
 * @param {Post} other
 */
function soonestFirst(one, other) {
  return (timeOf(one)?.getTime() ?? 0) - (timeOf(other)?.getTime() ?? 0) || one.id - other.id;
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
