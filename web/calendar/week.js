// Days as columns, with the hours from top to bottom; each post stands at its time.

import { h, keyed, setAttribute, setText } from "../lib/dom.js";
import { dateFormat, hourOfDay, now } from "../lib/times.js";
import { instantAt } from "../lib/zone.js";
import { atMinutes, dayOfMonthOf, isToday, minutesOfDay, onDay } from "./days.js";

/** @import { DayTable } from "./input.js" */
/** @import { Entry, EntryButtons } from "./entry.js" */

/**
 * What is drawn in a day's column: an entry, or a button with a label. Posts that are close together share the width of
 * the day: `lane` of so many `lanes` beside each other.
 * @typedef {{key: number|string, minutes: number, entry?: Entry, label?: string, hidden?: Entry[]}} Item `hidden` are
 *   those for which a label stands.
 * @typedef {Item & {lane: number, lanes: number}} PlacedItem
 */

const HOURS = 24;
const MINUTES = HOURS * 60;
const SNAP_MINUTES = 15;
const STRAIGHT_PIXELS = 12; // a smaller vertical distance counts as none
const EDGE_PIXELS = 36;
const SIDE_PIXELS = 16;
const LANE_PIXELS = 72; // less shows no time of day
const MOST_LANES = 3;
const ENTRY_MINUTES = 55; // the height of a button: see calendar.css
const LAST_MINUTE = MINUTES - ENTRY_MINUTES;

const weekday = dateFormat({ weekday: "short" });
const fullDay = dateFormat({ weekday: "long", day: "numeric", month: "long" });

/**
 * @param {EntryButtons} buttons
 * @param {(entries: Entry[], button: HTMLElement) => void} list Called to show posts that are too close together, as rows.
 */
export function weekTable(buttons, list) {
  const corner = h("td", { class: "corner" });
  const headings = h("tr", null, corner);
  const hours = hourCell();
  const row = h("tr", null, hours);
  const grid = h("table", { class: "week" }, h("thead", null, headings), h("tbody", null, row));
  const element = h("div", { class: "week-scroll", tabindex: 0, role: "region", "aria-label": "Hours" }, grid);
  const nowLine = h("div", { class: "now-line", "aria-hidden": "true" });
  /** @type {{day: Date, heading: HTMLElement, body: HTMLElement}[]} */
  let columns = [];

  /**
   * @param {Date[]} days
   * @param {(day: Date) => Entry[]} entriesOf A day's entries in the order of their times.
   */
  function render(days, entriesOf) {
    const key = days.map(Number).join(); // in another zone, the same days begin at other instants
    if (element.dataset.days !== key) layOut(days, key);
    for (const { day, heading, body } of columns) {
      setAttribute(heading, "data-today", isToday(day));
      keyed(
        body,
        placedItems(entriesOf(day), lanesIn(body.clientWidth)),
        (item) => item.key,
        ({ entry }) => (entry ? buttons.of(entry.post.id) : moreButton()),
        place,
      );
    }
    nameHours(hours);
    showNow();
  }

  /**
   * @param {Date[]} days
   * @param {string} key
   */
  function layOut(days, key) {
    element.dataset.days = key;
    columns = days.map((day) => ({
      day,
      heading: h(
        "th",
        { scope: "col", "aria-label": fullDay.format(day) },
        weekday.format(day),
        " ",
        h("b", null, dayOfMonthOf(day)),
      ),
      body: h("div", { class: "day-column" }),
    }));
    headings.replaceChildren(corner, ...columns.map(({ heading }) => heading));
    row.replaceChildren(hours, ...columns.map(({ body }) => h("td", null, body)));
  }

  function moreButton() {
    const button = h("button", { type: "button", class: "more", "aria-haspopup": "true" });
    button.addEventListener("click", () => list(hiddenBehind.get(button) ?? [], button));
    return button;
  }

  /** The line of now; and what has passed is hatched. */
  function showNow() {
    for (const { day, body } of columns) {
      setNumber(body, "--past", isToday(day) ? minutesOfDay(now()) : day.getTime() < now() ? MINUTES : 0);
    }
    const today = columns.find(({ day }) => isToday(day));
    nowLine.hidden = !today;
    setNumber(nowLine, "--minutes", minutesOfDay(now()));
    const cell = today?.body.parentNode;
    if (cell && nowLine.parentNode !== cell) cell.append(nowLine);
  }

  /**
   * Scrolls to the hours around now, or around the first post.
   * @param {Entry[]} entries
   */
  function scrollToHours(entries) {
    const first = Math.min(8 * 60, ...entries.map(({ time }) => minutesOfDay(time)));
    const minutes = nowLine.hidden ? first : minutesOfDay(now()) - 90;
    element.scrollTop = (minutes / MINUTES) * row.clientHeight - 16;
  }

  /** @type {DayTable["target"]} */
  function target(original, from, to) {
    const index = columns.findIndex(({ body }) => to.x < body.getBoundingClientRect().right);
    const day = (columns[index] ?? columns[columns.length - 1]).day;
    if (Math.abs(to.y - from.y) < STRAIGHT_PIXELS) return onDay(original, day);
    const minutes = minutesOfDay(original) + ((to.y - from.y) / row.clientHeight) * MINUTES;
    const snapped = Math.round(minutes / SNAP_MINUTES) * SNAP_MINUTES;
    return atMinutes(day, Math.min(Math.max(snapped, 0), MINUTES - SNAP_MINUTES), original);
  }

  /** @type {DayTable["timeAt"]} */
  function timeAt({ target, clientY }) {
    const column = columns.find(({ body }) => body === target);
    if (!column) return null;
    const { top, height } = column.body.getBoundingClientRect();
    const minutes = Math.floor((((clientY - top) / height) * MINUTES) / SNAP_MINUTES) * SNAP_MINUTES;
    return atMinutes(column.day, minutes, column.day);
  }

  /** @type {DayTable["side"]} */
  function side({ clientX }) {
    const { left, right } = element.getBoundingClientRect();
    if (clientX > right - SIDE_PIXELS) return 1;
    return clientX < left + SIDE_PIXELS ? -1 : 0;
  }

  /** @type {DayTable["scrollAtEdge"]} */
  function scrollAtEdge({ clientY }) {
    const { top, bottom } = element.getBoundingClientRect();
    const before = element.scrollTop;
    if (clientY < top + EDGE_PIXELS + headings.clientHeight) element.scrollTop -= 8;
    else if (clientY > bottom - EDGE_PIXELS) element.scrollTop += 8;
    return element.scrollTop !== before;
  }

  /** @type {DayTable} */
  const table = {
    target,
    pointAt: ({ clientX, clientY }) => ({ x: clientX, y: clientY + element.scrollTop }),
    scrollAtEdge,
    timeAt,
    side,
  };
  return { ...table, element, render, scrollToHours };
}

/** @type {WeakMap<HTMLElement, Entry[]>} The posts for which a button "+3 more" stands. */
const hiddenBehind = new WeakMap();

/**
 * @param {HTMLElement} node
 * @param {PlacedItem} item
 */
function place(node, { minutes, lane, lanes, label, hidden }) {
  if (label) setText(node, label);
  if (hidden) hiddenBehind.set(node, hidden);
  setNumber(node, "--minutes", minutes);
  setNumber(node, "--lane", lane);
  setNumber(node, "--lanes", lanes);
}

/**
 * @param {HTMLElement} node
 * @param {string} property
 * @param {number} value
 */
function setNumber(node, property, value) {
  node.style.setProperty(property, String(value));
}

/** @param {number} pixels */
function lanesIn(pixels) {
  return Math.min(Math.max(Math.floor(pixels / LANE_PIXELS), 1), MOST_LANES);
}

function hourCell() {
  const names = Array.from({ length: HOURS - 1 }, (_, index) => {
    const name = h("span");
    setNumber(name, "--minutes", (index + 1) * 60);
    return name;
  });
  return h("td", { class: "hours", "aria-hidden": "true" }, h("div", null, ...names));
}

/**
 * As the author wants times of day, who may change that.
 * @param {HTMLElement} cell
 */
function nameHours(cell) {
  for (const [index, name] of [...cell.querySelectorAll("span")].entries()) {
    setText(name, hourOfDay(instantAt(Date.UTC(2026, 0, 1, index + 1))));
  }
}

/**
 * @param {Entry[]} entries In the order of their times. A dragged one covers those below it.
 * @param {number} most How many may stand beside each other; a button "+3 more" stands for the others.
 * @returns {PlacedItem[]}
 */
function placedItems(entries, most) {
  const dragged = entries.filter(({ status }) => status === "dragged").map(itemOf);
  const clusters = clustersOf(entries.filter(({ status }) => status !== "dragged").map(itemOf));
  const items = clusters.flatMap((cluster, index) => placedCluster(cluster, most, index));
  items.push(...dragged.map((item) => ({ ...item, lane: 0, lanes: 1 })));
  return items.sort((one, other) => one.minutes - other.minutes);
}

/**
 * @param {Entry} entry
 * @returns {Item}
 */
function itemOf(entry) {
  return { key: entry.post.id, entry, minutes: Math.min(minutesOfDay(entry.time), LAST_MINUTE) };
}

/**
 * Items each of which touches the next one.
 * @param {Item[]} items
 */
function clustersOf(items) {
  /** @type {Item[][]} */
  const clusters = [];
  let end = -Infinity;
  for (const item of items) {
    if (item.minutes >= end) clusters.push([item]);
    else clusters[clusters.length - 1].push(item);
    end = item.minutes + ENTRY_MINUTES;
  }
  return clusters;
}

/**
 * @param {Item[]} cluster
 * @param {number} most
 * @param {number} index Of the cluster in its day.
 * @returns {PlacedItem[]}
 */
function placedCluster(cluster, most, index) {
  const all = inLanes(cluster, most);
  if (!all.left.length) return all.placed.map((item) => ({ ...item, lanes: all.lanes }));
  const { placed, left } = inLanes(cluster, most - 1);
  const hidden = left.map(({ entry }) => entry).filter((entry) => entry !== undefined);
  const label = placed.length ? `+${left.length} more` : `${left.length} posts`;
  const more = { key: `more-${index}`, minutes: left[0].minutes, label, hidden, lane: most - 1 };
  return [...placed, more].map((item) => ({ ...item, lanes: most }));
}

/**
 * @param {Item[]} cluster
 * @param {number} most
 */
function inLanes(cluster, most) {
  /** @type {number[]} */
  const ends = [];
  /** @type {(Item & {lane: number})[]} */
  const placed = [];
  /** @type {Item[]} */
  const left = [];
  for (const item of cluster) {
    const free = ends.findIndex((end) => end <= item.minutes);
    const lane = free === -1 ? ends.length : free;
    if (lane >= most) {
      left.push(item);
    } else {
      ends[lane] = item.minutes + ENTRY_MINUTES;
      placed.push({ ...item, lane });
    }
  }
  return { placed, left, lanes: ends.length };
}
