// Days as columns, with the hours from top to bottom; the posts stand at their times.

import { atMinutes, isSameDay, minutesOfDay, onDay } from "./calendar_days.js";
import { h, keyed, setAttribute, setText } from "./dom.js";
import { lanesOf } from "./calendar_lanes.js";
import { dayKey, hourOfDay } from "./times.js";

const HOURS = 24;
const MINUTES = HOURS * 60;
const SNAP_MINUTES = 15;
const STRAIGHT_PIXELS = 12; // less up or down is meant as none
const EDGE_PIXELS = 36;
const PIXELS_OF_A_LANE = 44;
const MOST_LANES = 3;

const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const fullDay = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

/**
 * @param {{of: (id) => HTMLElement}} buttons
 * @param {(day: Date) => void} open Asked to show all posts of a day, or no longer.
 */
export function weekTable(buttons, open) {
  const headings = h("tr", null, h("td", { class: "corner" }));
  const row = h("tr", null, hours());
  const table = h("table", { class: "week" }, h("thead", null, headings), h("tbody", null, row));
  const element = h("div", { class: "week-scroll", tabindex: 0, role: "region", "aria-label": "Hours" }, table);
  const nowLine = h("div", { class: "now-line", "aria-hidden": "true" });
  let columns = [];

  /** @param {(day: Date) => object[]} entriesOf A day's entries in the order of their times. */
  function render(days, entriesOf, openDay) {
    const key = days.map(dayKey).join();
    if (element.dataset.days !== key) layOut(days, key);
    for (const column of columns) {
      const isOpen = openDay !== null && isSameDay(column.day, openDay);
      const entries = entriesOf(column.day);
      const most = isOpen ? Infinity : lanesIn(column.body.clientWidth);
      setAttribute(column.heading, "data-open", isOpen);
      setAttribute(column.heading, "data-today", isSameDay(column.day, new Date()));
      const items = lanesOf(entries, most, isOpen);
      keyed(column.body, items, (item) => item.key, (item) => create(item, column.day), place);
    }
    showNow();
  }

  function layOut(days, key) {
    element.dataset.days = key;
    columns = days.map((day) => ({
      day,
      heading: h("th", { scope: "col" }, weekday.format(day), " ", h("b", null, String(day.getDate()))),
      body: h("div", { class: "day-column" }),
    }));
    for (const { heading, day } of columns) heading.setAttribute("aria-label", fullDay.format(day));
    headings.replaceChildren(headings.firstChild, ...columns.map(({ heading }) => heading));
    row.replaceChildren(row.firstChild, ...columns.map(({ body }) => h("td", null, body)));
  }

  function create(item, day) {
    if (item.entry) return buttons.of(item.entry.post.id);
    return h("button", { type: "button", class: "more", on: { click: () => open(day) } });
  }

  function place(node, { minutes, lane, lanes, words }) {
    if (words) setText(node, words);
    node.style.setProperty("--minutes", minutes);
    node.style.setProperty("--lane", lane);
    node.style.setProperty("--lanes", lanes);
  }

  function showNow() {
    const today = columns.find(({ day }) => isSameDay(day, new Date()));
    nowLine.hidden = !today;
    nowLine.style.setProperty("--minutes", minutesOfDay(new Date()));
    const cell = today?.body.parentNode;
    if (cell && nowLine.parentNode !== cell) cell.append(nowLine);
  }

  /** Brings the hours into view that matter: those around now, or around the first post. */
  function scrollToHours(entries) {
    const first = Math.min(8 * 60, ...entries.map(({ time }) => minutesOfDay(time)));
    const minutes = nowLine.hidden ? first : minutesOfDay(new Date()) - 90;
    element.scrollTop = (minutes / MINUTES) * row.clientHeight - 16;
  }

  /** Where a post that was taken hold of at `from` goes, when the pointer is at `to` (both in pixels of the table). */
  function target(original, from, to) {
    const rectangles = columns.map(({ body }) => body.getBoundingClientRect());
    const index = rectangles.findIndex(({ right }) => to.clientX < right);
    const { day } = columns.at(index);
    if (Math.abs(to.y - from.y) < STRAIGHT_PIXELS) return onDay(original, day);
    const minutes = minutesOfDay(original) + ((to.y - from.y) / row.clientHeight) * MINUTES;
    const snapped = Math.round(minutes / SNAP_MINUTES) * SNAP_MINUTES;
    return atMinutes(day, Math.min(Math.max(snapped, 0), MINUTES - SNAP_MINUTES), original);
  }

  /** A pointer's place in the table, which scrolls under it. */
  function pointAt({ clientX, clientY }) {
    return { clientX, y: clientY + element.scrollTop };
  }

  /** Scrolls on while a post is held at the upper or lower edge. Returns whether it did. */
  function scrollAtEdge({ clientY }) {
    const { top, bottom } = element.getBoundingClientRect();
    const before = element.scrollTop;
    if (clientY < top + EDGE_PIXELS + headings.clientHeight) element.scrollTop -= 8;
    else if (clientY > bottom - EDGE_PIXELS) element.scrollTop += 8;
    return element.scrollTop !== before;
  }

  return { element, render, scrollToHours, target, pointAt, scrollAtEdge };
}

function lanesIn(pixels) {
  return Math.min(Math.max(Math.floor(pixels / PIXELS_OF_A_LANE), 1), MOST_LANES);
}

function hours() {
  const names = Array.from({ length: HOURS - 1 }, (_, index) => {
    const name = h("span", null, hourOfDay(new Date(2026, 0, 1, index + 1)));
    name.style.setProperty("--minutes", (index + 1) * 60);
    return name;
  });
  return h("td", { class: "hours", "aria-hidden": "true" }, h("div", null, ...names));
}
