// The time of a post: in words, in the author's own zone; which instant it is elsewhere; and its errors.

import { h, setText } from "../lib/dom.js";
import {
  dayAndTime,
  distance,
  fromInputValue,
  hourOfDay,
  instant,
  inUtc,
  now,
  offsetAt,
  toInputValue,
} from "../lib/times.js";
import { instantAt, wallFields, wallMidnight, zone } from "../lib/zone.js";
import { listOf } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";
import { minuteOf, nextFreeSlot } from "./slots.js";

const MINUTE = 60_000;
const GRACE = MINUTE; // the same as createPost's: the time it takes to press the button
const HORIZON = 366 * 24 * 60 * MINUTE;
const STEP = 5 * MINUTE;

/**
 * The name of a frequent time, and the time; null: there is none now.
 * @typedef {[() => string, () => Date|null]} Pick
 */

/** @type {Pick[]} */
const QUICK_PICKS = [
  [() => "Next free slot", freeSlot],
  [() => "In an hour", () => instant(now() + 60 * MINUTE)],
  [() => `Tomorrow ${nine()}`, () => nineOClock(1)],
  [() => `Monday ${nine()}`, () => nineOClock((8 - wallFields(now()).getUTCDay()) % 7 || 7)],
];

/**
 * Makes a datetime-local input represent an instant. Its value alone cannot: it has no fractions of a second, and in
 * autumn an hour comes twice. So the instant it was set to counts until another time is typed; when the author's zone
 * changes, the instant stays and the value follows.
 *
 * `words` shows the time as people say it; the hint shows the zone and the instant in UTC; call `refresh` as time
 * passes. `error` is what prevents it from being a post's time, as a sentence, or null.
 * @param {HTMLInputElement} input
 * @param {HTMLElement} words
 * @param {HTMLElement} hint
 * @param {HTMLElement} picks Gets buttons for frequent times, and for the other one of two equal times.
 * @param {Pick[]} [more] Further times, before the others.
 */
export function whenField(input, words, hint, picks, more = []) {
  const place = h("span", { class: "zone" });
  const utc = h("span", { class: "utc number" });
  const other = pickButton("", () => {
    const { earlier, later, isLater } = read();
    return isLater ? earlier : later;
  });
  const quick = [...more, ...QUICK_PICKS].map(([name, time]) => ({ name, time, button: pickButton(name(), time) }));
  /** @type {Date|null} */
  let given = null;
  let written = "";
  let writtenIn = zone();

  /** @param {Date} date */
  function set(date) {
    input.value = toInputValue(date);
    [given, written, writtenIn] = [date, input.value, zone()];
    refresh();
  }

  /** The result of fromInputValue, and which of two equal times is meant. */
  function read() {
    const typed = fromInputValue(input.value);
    const date = given && input.value === written ? given : typed.date;
    const isLater = typed.later !== null && date !== null && date >= typed.later;
    return { ...typed, earlier: typed.date, date, isLater };
  }

  function refresh() {
    if (given && input.value === written && writtenIn !== zone()) set(given);
    const { date, isGap, later, isLater } = read();
    const which = later ? `, the ${isLater ? "later" : "earlier"} of two such times` : "";
    setText(words, date ? inWords(date) : "Choose a time");
    setText(place, `${zone()} (${offsetAt(date ?? today())})${which}`);
    setText(utc, date && !isGap ? inUtc(date) : "");
    setText(other, `Take the ${isLater ? "earlier" : "later"} one`);
    other.hidden = !later;
    for (const { name, time, button } of quick) {
      setText(button, name());
      button.hidden = time() === null;
    }
  }

  /**
   * @param {string} name
   * @param {() => Date|null} time
   */
  function pickButton(name, time) {
    const pick = () => {
      set(time() ?? today());
      input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    return h("button", { type: "button", class: "pick", on: { click: pick } }, name);
  }

  hint.replaceChildren(place, utc);
  picks.replaceChildren(other, ...quick.map(({ button }) => button));
  input.addEventListener("input", () => {
    if (input.value !== written) [given, written, writtenIn] = [fromInputValue(input.value).date, input.value, zone()];
    refresh();
  });
  refresh();
  return { set, date: () => read().date, error: () => errorOf(read()), refresh };
}

/**
 * The time of a new draft: the next free slot, or about an hour from now, at the next five minutes that no pending post
 * has taken.
 */
export function proposedTime() {
  const taken = new Set(pending().map(({ schedule_for }) => minuteOf(instant(schedule_for))));
  let time = Math.ceil((now() + 60 * MINUTE) / STEP) * STEP;
  while (taken.has(minuteOf(new Date(time)))) time += STEP;
  return freeSlot() ?? new Date(time);
}

/** @param {Date} date */
function inWords(date) {
  const passed = now() - date.getTime();
  if (passed >= 0 && passed <= GRACE) return "Now";
  return `${dayAndTime(date)}, ${distance(date)}`;
}

/** @param {{date: Date|null, isGap: boolean}} read */
function errorOf({ date, isGap }) {
  if (!date) return "Choose a day and a time.";
  if (isGap) return `This time does not exist: that night the clocks in ${zone()} skip it. Choose another.`;
  if (date.getTime() < now() - GRACE) return "This time has passed. Choose a later one.";
  if (date.getTime() > now() + HORIZON) return "This is more than a year ahead. Choose an earlier time.";
  return null;
}

function freeSlot() {
  return posts.slots.length ? nextFreeSlot(posts.slots, pending(), posts.author?.default_account_id ?? null) : null;
}

function pending() {
  return posts.all().filter((post) => listOf(post) === "pending");
}

/** @param {number} daysAhead */
function nineOClock(daysAhead) {
  return instantAt(wallMidnight(now()) + (daysAhead * 24 + 9) * 60 * MINUTE);
}

/** "9:00" or "9 AM" */
function nine() {
  return hourOfDay(nineOClock(0)).replace(/^0/, "");
}

function today() {
  return instant(now());
}
