// A month as a grid of days, each with its posts in the order of their times.

import { isSameDay, onDay } from "./calendar_days.js";
import { h, keyed, setAttribute, setText } from "./dom.js";
import { dayKey } from "./times.js";

const MOST = 3;

const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const fullWeekday = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const fullDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long" });

/**
 * @param {{of: (id) => HTMLElement}} buttons
 * @param {(day: Date) => void} open Asked to show all posts of a day, or no longer.
 */
export function monthTable(buttons, open) {
  const headings = h("tr");
  const body = h("tbody");
  const element = h("table", { class: "month" }, h("thead", null, headings), body);
  let cells = [];

  /** @param {(day: Date) => object[]} entriesOf A day's entries in the order of their times. */
  function render(weeks, month, entriesOf, openDay) {
    const key = weeks.flat().map(dayKey).join();
    if (element.dataset.days !== key) layOut(weeks, key);
    for (const { day, cell, list } of cells) {
      const isOpen = openDay !== null && isSameDay(day, openDay);
      setAttribute(cell, "data-today", isSameDay(day, new Date()));
      setAttribute(cell, "data-other", day.getMonth() !== month.getMonth());
      keyed(list, itemsOf(entriesOf(day), isOpen), (item) => item.key, (item) => create(item, day), say);
    }
  }

  function layOut(weeks, key) {
    element.dataset.days = key;
    headings.replaceChildren(
      ...weeks[0].map((day) => h("th", { scope: "col", "aria-label": fullWeekday.format(day) }, weekday.format(day))),
    );
    const rows = weeks.map((days) => days.map(cellOf));
    cells = rows.flat();
    body.replaceChildren(...rows.map((row) => h("tr", null, ...row.map(({ cell }) => cell))));
  }

  function cellOf(day) {
    const list = h("div", { class: "day-list" });
    const number = h("time", { datetime: dayKey(day), "aria-label": fullDay.format(day) }, String(day.getDate()));
    return { day, list, cell: h("td", null, h("div", { class: "day-number" }, number), list) };
  }

  function create(item, day) {
    if (item.entry) return buttons.of(item.entry.post.id);
    return h("button", { type: "button", class: "more", on: { click: () => open(day) } });
  }

  /** Where a post goes when the pointer is at `to`: the time of day stays. */
  function target(original, _from, to) {
    const found = cells.find(({ cell }) => {
      const { left, right, top, bottom } = cell.getBoundingClientRect();
      return to.clientX >= left && to.clientX < right && to.clientY >= top && to.clientY < bottom;
    });
    return found ? onDay(original, found.day) : null;
  }

  return {
    element,
    render,
    target,
    pointAt: ({ clientX, clientY }) => ({ clientX, clientY }),
    scrollAtEdge: () => false,
  };
}

function itemsOf(entries, isOpen) {
  const shown = isOpen || entries.length <= MOST + 1 ? entries : entries.filter(isShown);
  const items = shown.map((entry) => ({ key: entry.post.id, entry }));
  if (shown.length < entries.length) items.push({ key: "more", words: `+${entries.length - shown.length} more` });
  else if (entries.length > MOST + 1) items.push({ key: "more", words: "Show fewer" });
  return items;
}

function isShown({ status }, index) {
  return index < MOST || status !== "";
}

function say(node, { words }) {
  if (words) setText(node, words);
}
