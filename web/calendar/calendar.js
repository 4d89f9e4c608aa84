// The calendar: a week or a month of the author's posts, each at its time; posts are moved by dragging or by keyboard.

import { h, keepingFocus, setText, showMessage } from "../lib/dom.js";
import { addDays, dayKey, now, offsetAt, startOfDay } from "../lib/times.js";
import { zone } from "../lib/zone.js";
import { calendarBar } from "./bar.js";
import { daysFrom, monthTitle, rangeTitle, startOfMonth, startOfWeek, weeksOfMonth } from "./days.js";
import { entryButtons, pastConfirmation, postCard, rowsCard } from "./entry.js";
import { listenToInput } from "./input.js";
import { monthTable } from "./month.js";
import { moving } from "./moving.js";
import { weekTable } from "./week.js";

/** @import { Kind } from "./bar.js" */
/** @import { Entry } from "./entry.js" */
/** @import { PostStore } from "../posts/posts.js" */

const KIND = "calendar-kind";
const NARROW_PIXELS = 560;
const TICK_MILLISECONDS = 10_000;
const ANNOUNCEMENT_MILLISECONDS = 8_000;
const HELP =
  "Click a free place to write there. Drag a post to move it, or press Enter on it. A double click or Shift+Enter shows it in the list.";
const HELP_FOR_TOUCH = "Tap a free place to write there, or a post to read, edit or move it. Hold a post to drag it.";

/**
 * Makes the calendar in `root`. It renders only while it is shown.
 * @param {HTMLElement} root
 * @param {PostStore} posts
 * @param {{move: (id: number, date: Date) => Promise<{updated_at: string}>, write: (time: Date) => void}} actions
 *   `write` begins a post at a time.
 */
export function calendar(root, posts, actions) {
  /** @type {Kind} */
  let kind = localStorage.getItem(KIND) === "month" ? "month" : "week";
  let anchor = new Date(now()); // within a day that is shown
  /** @type {Date|null} */
  let openDay = null;
  let isShown = false;
  let isRendering = false;
  let hasScrolled = false;
  let timer = 0;
  let announcedAt = 0;

  const bar = calendarBar({ turn, today: () => goTo(new Date(now())), choose, jump: jumpToNext });
  const error = h("p", { class: "notice bad", role: "alert", hidden: true });
  const announcement = h("p", { class: "calendar-announcement", "aria-live": "polite" });
  const card = postCard();
  const confirmation = pastConfirmation();
  const buttons = entryButtons("calendar-help");
  const rows = rowsCard();
  const week = weekTable(buttons, rows.show);
  const month = monthTable(buttons, open);
  const tables = { week, month };
  const area = h("div", { class: "calendar-area" }, week.element, month.element);

  root.classList.add("calendar");
  root.append(
    bar.element,
    error,
    area,
    h(
      "div",
      { class: "calendar-foot" },
      h("p", { class: "calendar-help for-touch" }, HELP_FOR_TOUCH),
      h("p", { class: "calendar-help for-keys", id: "calendar-help" }, HELP),
      announcement,
    ),
    card.element,
    rows.element,
    confirmation.element,
  );

  const move = moving({
    posts,
    move: actions.move,
    announce,
    showError: (message) => showMessage(error, message),
    confirm: confirmation.confirm,
    redraw: follow,
    reveal,
  });
  listenToInput(area, move, {
    kind: () => kind,
    table: () => tables[kind],
    showCard,
    write: actions.write,
    turn,
    open: (id) => {
      location.hash = `#posts/${id}`;
    },
    isRendering: () => isRendering,
  });
  posts.addEventListener("change", () => {
    buttons.forget((id) => !posts.get(id));
    move.settle();
    card.refresh();
    emptyIfSignedOut();
  });
  posts.addEventListener("status", () => {
    render();
    emptyIfSignedOut();
  });
  new ResizeObserver(render).observe(root);

  /** No word of the author stays in the page, also where the calendar is not shown. */
  function emptyIfSignedOut() {
    if (posts.size || posts.answeredAt) return;
    const wasShown = isShown;
    card.clear();
    rows.clear();
    announce("");
    showMessage(error, "");
    isShown = true;
    render();
    isShown = wasShown;
  }

  /** Renders, and turns to the days of what is dragged. */
  function follow() {
    const dragged = move.dragged();
    if (dragged && !isIn(dragged.time, shownDays())) anchor = startOfDay(dragged.time);
    render();
  }

  /**
   * Turns to the days of a post, and gives it the focus if that was lost on the way.
   * @param {number} id
   */
  function reveal(id) {
    const post = posts.get(id);
    if (!post || !isShown) return;
    const { time } = move.entryOf(post);
    if (!isIn(time, shownDays())) anchor = startOfDay(time);
    render();
    focusIfLost(id);
  }

  /** @param {number} id */
  function focusIfLost(id) {
    if (document.activeElement === document.body) buttons.of(id).focus();
  }

  function render() {
    if (!isShown || isRendering) return;
    isRendering = true;
    keepingFocus(() => {
      const entries = entriesInOrder();
      const shown = entries.filter(({ time }) => isIn(time, shownDays()));
      for (const entry of shown) buttons.refresh(entry);
      renderTables(shown);
      renderBar(entries, shown.length);
    });
    isRendering = false;
  }

  /** @param {Entry[]} shown */
  function renderTables(shown) {
    const byDay = Map.groupBy(shown, ({ time }) => dayKey(time));
    /** @param {Date} day */
    const entriesOf = (day) => byDay.get(dayKey(day)) ?? [];
    week.element.hidden = kind !== "week";
    month.element.hidden = kind !== "month";
    if (kind === "week") week.render(shownDays(), entriesOf);
    else month.render(weeksOfMonth(anchor), anchor, entriesOf, openDay);
  }

  /**
   * @param {Entry[]} entries
   * @param {number} count
   */
  function renderBar(entries, count) {
    const days = shownDays();
    bar.render({
      kind,
      name: kind === "month" ? monthTitle(anchor) : rangeTitle(days),
      span: kind === "month" ? "month" : days.length === 7 ? "week" : `${days.length} days`,
      description: `${inWords(count)} Times are those of ${zone()} (${offsetAt(anchor)}).`,
      next: count ? null : (nextOf(entries)?.time ?? null),
    });
  }

  /** @param {number} count */
  function inWords(count) {
    if (!posts.answeredAt) return posts.state === "offline" ? "Not known yet." : "Loading…";
    if (count === 0) return "No posts here.";
    return count === 1 ? "1 post." : `${count} posts.`;
  }

  /** @param {Entry[]} entries */
  function nextOf(entries) {
    const end = endOf(shownDays());
    return entries.find(({ time }) => time >= end) ?? entries.at(-1);
  }

  function shownDays() {
    if (kind === "month") return weeksOfMonth(anchor).flat();
    return root.clientWidth < NARROW_PIXELS ? daysFrom(startOfDay(anchor), 3) : daysFrom(startOfWeek(anchor), 7);
  }

  /** @param {Date} date */
  function goTo(date) {
    anchor = startOfDay(date);
    openDay = null;
    render();
    scrollToHours();
  }

  /** @param {-1|1} direction */
  function turn(direction) {
    if (kind === "week") goTo(addDays(anchor, direction * shownDays().length));
    else goTo(startOfMonth(anchor, direction));
  }

  function jumpToNext() {
    const next = nextOf(entriesInOrder());
    if (!next) return;
    goTo(next.time);
    buttons.of(next.post.id).focus();
  }

  /** @param {Kind} wanted */
  function choose(wanted) {
    const today = startOfDay(now());
    const isThisMonth = startOfMonth(today).getTime() === startOfMonth(anchor).getTime();
    if (kind === "month" && isThisMonth) anchor = today;
    kind = wanted;
    openDay = null;
    localStorage.setItem(KIND, kind);
    render();
    scrollToHours();
  }

  /** @param {Date} day */
  function open(day) {
    openDay = openDay !== null && dayKey(openDay) === dayKey(day) ? null : day;
    render();
    const first = entriesInOrder().find(({ time }) => isIn(time, [day]));
    if (first) focusIfLost(first.post.id);
  }

  /**
   * @param {number} id
   * @param {HTMLElement} button
   */
  function showCard(id, button) {
    const post = posts.get(id);
    if (post) card.show(post, move.entryOf(post).time, button);
  }

  /** @param {string} message */
  function announce(message) {
    setText(announcement, message);
    announcedAt = Date.now();
  }

  function scrollToHours() {
    if (kind === "week") week.scrollToHours(entriesInOrder().filter(({ time }) => isIn(time, shownDays())));
  }

  function entriesInOrder() {
    const entries = posts.all().map(move.entryOf);
    return entries.sort((one, other) => one.time.getTime() - other.time.getTime() || one.post.id - other.post.id);
  }

  function show() {
    isShown = true;
    render();
    if (!hasScrolled) scrollToHours();
    hasScrolled = true;
    timer = setInterval(tick, TICK_MILLISECONDS);
  }

  function tick() {
    if (!move.dragged() && Date.now() - announcedAt > ANNOUNCEMENT_MILLISECONDS) announce("");
    card.refresh();
    render();
  }

  function hide() {
    isShown = false;
    clearInterval(timer);
    move.end();
    card.hide();
    rows.hide();
    confirmation.dismiss();
    showMessage(error, "");
  }

  return { show, hide };
}

/**
 * @param {Date} time
 * @param {Date[]} days
 */
function isIn(time, days) {
  return time >= days[0] && time < endOf(days);
}

/** @param {Date[]} days */
function endOf(days) {
  return addDays(days[days.length - 1], 1);
}
