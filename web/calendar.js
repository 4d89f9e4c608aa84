// The calendar: a week or a month of the author's posts, each at its time, to be moved by hand or by keyboard.

import { calendarBar } from "./calendar_bar.js";
import { pastQuestion, postCard } from "./calendar_card.js";
import { addDays, daysFrom, monthTitle, rangeTitle, startOfMonth, startOfWeek, weeksOfMonth } from "./calendar_days.js";
import { entryButtons } from "./calendar_entry.js";
import { hands } from "./calendar_hands.js";
import { monthTable } from "./calendar_month.js";
import { moving } from "./calendar_moving.js";
import { weekTable } from "./calendar_week.js";
import { h, keepingFocus, setText } from "./dom.js";
import { dayKey, offsetAt, startOfDay, zone } from "./times.js";

const KIND = "calendar-kind";
const NARROW_PIXELS = 560;
const TICK_MILLISECONDS = 10_000;
const NEWS_MILLISECONDS = 8_000;
const HELP = "Drag a post to move it, or press Enter on it. A double click or Shift+Enter shows it in the list.";
const HELP_FOR_FINGERS = "Tap a post to read it. It can be moved in the list.";

/**
 * Makes the calendar in `root`.
 * @param {HTMLElement} root
 * @param {object} posts See posts.js.
 * @param {{move: (id, date: Date) => Promise}} actions
 * @returns {{show: () => void, hide: () => void}} It draws only while it is shown.
 */
export function calendar(root, posts, actions) {
  let kind = remembered();
  let anchor = startOfDay(new Date()); // a day that is to be seen
  let openDay = null;
  let isShown = false;
  let isDrawing = false;
  let hasScrolled = false;
  let ticking = null;
  let saidAt = 0;

  const bar = calendarBar({ turn, today: () => goTo(new Date()), choose, jump: jumpToNext });
  const complaint = h("p", { class: "notice bad", role: "alert", hidden: true });
  const news = h("p", { class: "calendar-news", "aria-live": "polite" });
  const card = postCard();
  const question = pastQuestion();
  const buttons = entryButtons("calendar-help");
  const week = weekTable(buttons, open);
  const month = monthTable(buttons, open);
  const tables = { week, month };
  const area = h("div", { class: "calendar-area" }, week.element, month.element);

  root.classList.add("calendar");
  root.append(
    bar.element,
    complaint,
    area,
    h(
      "div",
      { class: "calendar-foot" },
      h("p", { class: "calendar-help for-fingers" }, HELP_FOR_FINGERS),
      h("p", { class: "calendar-help for-keys", id: "calendar-help" }, HELP),
      news,
    ),
    card.element,
    question.element,
  );

  const move = moving({
    posts,
    move: (id, date) => actions.move(id, date),
    say,
    complain,
    confirm: question.ask,
    redraw: follow,
    seek,
  });
  hands(area, move, {
    kind: () => kind,
    table: () => tables[kind],
    look,
    open: (id) => {
      location.hash = `#posts/${id}`;
    },
    isDrawing: () => isDrawing,
  });
  posts.addEventListener("change", ({ detail }) => {
    buttons.forget(detail.removed);
    move.settle();
  });
  posts.addEventListener("status", draw);
  new ResizeObserver(draw).observe(root);

  /** Draws, and turns over to the days in which what is carried is now. */
  function follow() {
    const carried = move.carried();
    if (carried && !shownDays().some((day) => dayKey(day) === dayKey(carried.time))) anchor = startOfDay(carried.time);
    draw();
  }

  /** Turns to the days of a post, and gives it the focus if that was lost on the way. */
  function seek(id) {
    const post = posts.get(id);
    if (!post || !isShown) return;
    if (!isIn(move.entryOf(post).time, shownDays())) anchor = startOfDay(move.entryOf(post).time);
    draw();
    focusIfLost(id);
  }

  function focusIfLost(id) {
    if (document.activeElement === document.body) buttons.of(id).focus();
  }

  function draw() {
    if (!isShown || isDrawing) return;
    isDrawing = true;
    keepingFocus(() => {
      const entries = entriesInOrder();
      const shown = entries.filter(({ time }) => isIn(time, shownDays()));
      for (const entry of shown) buttons.refresh(entry);
      drawTables(shown);
      drawBar(entries, shown);
    });
    isDrawing = false;
  }

  function drawTables(shown) {
    const ofDay = byDay(shown);
    const entriesOf = (day) => ofDay.get(dayKey(day)) ?? [];
    week.element.hidden = kind !== "week";
    month.element.hidden = kind !== "month";
    if (kind === "week") week.render(shownDays(), entriesOf, openDay);
    else month.render(weeksOfMonth(anchor), anchor, entriesOf, openDay);
  }

  function drawBar(entries, shown) {
    const days = shownDays();
    bar.render({
      kind,
      name: kind === "month" ? monthTitle(anchor) : rangeTitle(days),
      span: kind === "month" ? "month" : days.length === 7 ? "week" : `${days.length} days`,
      words: `${countOf(shown.length)} Times are those of ${zone} (${offsetAt(anchor)}).`,
      next: shown.length ? null : (nextOf(entries)?.time ?? null),
    });
  }

  function countOf(count) {
    if (posts.state === "loading") return "Loading…";
    if (count === 0) return "No posts here.";
    return count === 1 ? "1 post." : `${count} posts.`;
  }

  function nextOf(entries) {
    return entries.find(({ time }) => time > shownDays().at(-1)) ?? entries.at(-1) ?? null;
  }

  function shownDays() {
    if (kind === "month") return weeksOfMonth(anchor).flat();
    return root.clientWidth < NARROW_PIXELS ? daysFrom(anchor, 3) : daysFrom(startOfWeek(anchor), 7);
  }

  function goTo(date) {
    anchor = startOfDay(date);
    openDay = null;
    draw();
    scrollToHours();
  }

  function turn(direction) {
    if (kind === "week") goTo(addDays(anchor, direction * shownDays().length));
    else goTo(new Date(anchor.getFullYear(), anchor.getMonth() + direction, 1));
  }

  function jumpToNext() {
    const { post, time } = nextOf(entriesInOrder());
    goTo(time);
    buttons.of(post.id).focus();
  }

  function choose(wanted) {
    const today = startOfDay(new Date());
    if (kind === "month" && +startOfMonth(today) === +startOfMonth(anchor)) anchor = today;
    kind = wanted;
    openDay = null;
    remember(kind);
    draw();
    scrollToHours();
  }

  function open(day) {
    openDay = openDay !== null && dayKey(openDay) === dayKey(day) ? null : day;
    draw();
    focusIfLost(entriesInOrder().find(({ time }) => isIn(time, [day])).post.id);
  }

  function look(pressed) {
    const { post, time } = move.entryOf(posts.get(pressed.dataset.post));
    card.show(post, time, pressed);
  }

  function say(words) {
    setText(news, words);
    saidAt = Date.now();
  }

  function complain(words) {
    setText(complaint, words);
    complaint.hidden = !words;
  }

  function scrollToHours() {
    if (kind === "week") week.scrollToHours(entriesInOrder().filter(({ time }) => isIn(time, shownDays())));
  }

  function entriesInOrder() {
    return posts.all().map(move.entryOf).sort(byTime);
  }

  function show() {
    isShown = true;
    draw();
    if (!hasScrolled) scrollToHours();
    hasScrolled = true;
    ticking = setInterval(tick, TICK_MILLISECONDS);
  }

  function tick() {
    if (!move.carried() && Date.now() - saidAt > NEWS_MILLISECONDS) say("");
    draw();
  }

  function hide() {
    isShown = false;
    clearInterval(ticking);
    move.letGo();
    card.hide();
    complain("");
  }

  return { show, hide };
}

function isIn(time, days) {
  return time >= days[0] && time < addDays(days.at(-1), 1);
}

function byDay(entries) {
  const days = new Map();
  for (const entry of entries) {
    const key = dayKey(entry.time);
    if (days.has(key)) days.get(key).push(entry);
    else days.set(key, [entry]);
  }
  return days;
}

function byTime(one, other) {
  return one.time - other.time || one.post.id - other.post.id;
}

function remembered() {
  return localStorage.getItem(KIND) === "month" ? "month" : "week";
}

function remember(kind) {
  localStorage.setItem(KIND, kind);
}
