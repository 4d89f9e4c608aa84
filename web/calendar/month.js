// A month as a grid of days, each with its posts in the order of their times.

import { h, keyed, setAttribute, setText } from "../lib/dom.js";
import { dateFormat, dayKey, now, startOfDay } from "../lib/times.js";
import { atMinutes, dayOfMonthOf, isSameDay, isToday, onDay, startOfMonth } from "./days.js";

/** @import { DayTable } from "./input.js" */
/** @import { Entry, EntryButtons } from "./entry.js" */

const MOST = 3;
const WRITING_HOUR = 9; // a click on a day names no time of day
const QUARTER = 15 * 60_000;

const weekday = dateFormat({ weekday: "short" });
const fullWeekday = dateFormat({ weekday: "long" });
const fullDay = dateFormat({ day: "numeric", month: "long" });

/**
 * @param {EntryButtons} buttons
 * @param {(day: Date) => void} open Called to show all posts of a day, or no longer.
 */
export function monthTable(buttons, open) {
  const headings = h("tr");
  const body = h("tbody");
  const element = h("table", { class: "month" }, h("thead", null, headings), body);
  /** @type {{day: Date, list: HTMLElement, cell: HTMLElement}[]} */
  let cells = [];

  /**
   * @param {Date[][]} weeks
   * @param {Date} month
   * @param {(day: Date) => Entry[]} entriesOf A day's entries in the order of their times.
   * @param {Date|null} openDay
   */
  function render(weeks, month, entriesOf, openDay) {
    const key = weeks.flat().map(Number).join();
    if (element.dataset.days !== key) layOut(weeks, key);
    for (const { day, cell, list } of cells) {
      const isOpen = openDay !== null && isSameDay(day, openDay);
      setAttribute(cell, "data-today", isToday(day));
      setAttribute(cell, "data-past", day < startOfDay(now()));
      setAttribute(cell, "data-other", Number(startOfMonth(day)) !== Number(startOfMonth(month)));
      keyed(
        list,
        itemsOf(entriesOf(day), isOpen),
        (item) => item.key,
        ({ entry }) => (entry ? buttons.of(entry.post.id) : moreButton(day)),
        (node, { label }) => label && setText(node, label),
      );
    }
  }

  /**
   * @param {Date[][]} weeks
   * @param {string} key
   */
  function layOut(weeks, key) {
    element.dataset.days = key;
    headings.replaceChildren(
      ...weeks[0].map((day) => h("th", { scope: "col", "aria-label": fullWeekday.format(day) }, weekday.format(day))),
    );
    const rows = weeks.map((days) => days.map(cellOf));
    cells = rows.flat();
    body.replaceChildren(...rows.map((row) => h("tr", null, ...row.map(({ cell }) => cell))));
  }

  /** @param {Date} day */
  function cellOf(day) {
    const list = h("div", { class: "day-list" });
    const number = h("time", { datetime: dayKey(day), "aria-label": fullDay.format(day) }, dayOfMonthOf(day));
    return { day, list, cell: h("td", null, h("div", { class: "day-number" }, number), list) };
  }

  /** @param {Date} day */
  function moreButton(day) {
    return h("button", { type: "button", class: "more", on: { click: () => open(day) } });
  }

  /** @type {DayTable["target"]} */
  function target(original, _from, { x, y }) {
    const found = cells.find(({ cell }) => {
      const { left, right, top, bottom } = cell.getBoundingClientRect();
      return x >= left && x < right && y >= top && y < bottom;
    });
    return found ? onDay(original, found.day) : null;
  }

  /** @type {DayTable["timeAt"]} */
  function timeAt({ target: clicked }) {
    const found = cells.find(({ cell, list }) => clicked === cell || clicked === list);
    if (!found) return null;
    const morning = atMinutes(found.day, WRITING_HOUR * 60, found.day);
    return isToday(morning) && morning.getTime() < now() ? new Date(Math.ceil(now() / QUARTER) * QUARTER) : morning;
  }

  /** @type {DayTable} */
  const table = {
    target,
    pointAt: ({ clientX, clientY }) => ({ x: clientX, y: clientY }),
    scrollAtEdge: () => false,
    timeAt,
    side: () => 0,
  };
  return { ...table, element, render };
}

/**
 * What a day shows: entries, and a button that shows more of them, or fewer.
 * @param {Entry[]} entries
 * @param {boolean} isOpen
 * @returns {{key: number|string, entry?: Entry, label?: string}[]}
 */
function itemsOf(entries, isOpen) {
  const shown = isOpen || entries.length <= MOST + 1 ? entries : entries.filter(isShown);
  const items = shown.map((entry) => ({ key: entry.post.id, entry }));
  const hidden = entries.length - shown.length;
  if (!hidden && entries.length <= MOST + 1) return items;
  return [...items, { key: "more", label: hidden ? `+${hidden} more` : "Show fewer" }];
}

/**
 * @param {Entry} entry
 * @param {number} index
 */
function isShown({ status }, index) {
  return index < MOST || status !== "";
}
