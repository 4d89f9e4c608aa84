// The time of a post, in the author's own zone: which instant it is elsewhere, and its errors.

import { h, setText } from "../lib/dom.js";
import { distance, fromInputValue, instant, inUtc, now, offsetAt, toInputValue, zone } from "../lib/times.js";

const MINUTE = 60_000;
const GRACE = MINUTE; // the same as createPost's: the time it takes to press the button
const HORIZON = 366 * 24 * 60 * MINUTE;

/** @type {[string, () => Date][]} */
const QUICK_PICKS = [
  ["In an hour", () => instant(now() + 60 * MINUTE)],
  ["Tomorrow 9:00", () => nineOClock(1)],
  ["Monday 9:00", () => nineOClock((8 - today().getDay()) % 7 || 7)],
];

/**
 * Makes a datetime-local input represent an instant. Its value alone cannot: it has no fractions of a second, and in
 * autumn an hour comes twice. So the instant it was set to counts until another time is typed.
 *
 * The hint shows the zone, the instant in UTC, and the distance from now; call `refresh` as time passes. `error` is what
 * prevents it from being a post's time, as a sentence, or null.
 * @param {HTMLInputElement} input
 * @param {HTMLElement} hint
 * @param {HTMLElement} picks Gets buttons for frequent times, and for the other one of two equal times.
 */
export function whenField(input, hint, picks) {
  const place = h("span", { class: "zone" });
  const utc = h("span", { class: "utc number" });
  const other = pickButton("", () => {
    const { earlier, later, isLater } = read();
    return isLater ? earlier : later;
  });
  /** @type {Date|null} */
  let given = null;
  let written = "";

  /** @param {Date} date */
  function set(date) {
    input.value = toInputValue(date);
    [given, written] = [date, input.value];
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
    const { date, isGap, later, isLater } = read();
    const which = later ? `, the ${isLater ? "later" : "earlier"} of two such times` : "";
    setText(place, `${zone} (${offsetAt(date ?? today())})${which}`);
    setText(utc, date && !isGap ? `${inUtc(date)}, ${distance(date)}` : "");
    setText(other, `Take the ${isLater ? "earlier" : "later"} one`);
    other.hidden = !later;
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
    return h("button", { type: "button", class: "button quiet", on: { click: pick } }, name);
  }

  hint.replaceChildren(place, utc);
  picks.replaceChildren(other, ...QUICK_PICKS.map(([name, time]) => pickButton(name, time)));
  input.addEventListener("input", refresh);
  refresh();
  return { set, date: () => read().date, error: () => errorOf(read()), refresh };
}

/** An hour from now, at the next five minutes: the time of a new draft. */
export function proposedTime() {
  const step = 5 * MINUTE;
  return new Date(Math.ceil((now() + 60 * MINUTE) / step) * step);
}

/** @param {{date: Date|null, isGap: boolean}} read */
function errorOf({ date, isGap }) {
  if (!date) return "Choose a day and a time.";
  if (isGap) return `This time does not exist: that night the clocks in ${zone} skip it. Choose another.`;
  if (date.getTime() < now() - GRACE) return "This time has passed. Choose a later one.";
  if (date.getTime() > now() + HORIZON) return "This is more than a year ahead. Choose an earlier time.";
  return null;
}

/** @param {number} daysAhead */
function nineOClock(daysAhead) {
  const day = today();
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + daysAhead, 9);
}

function today() {
  return instant(now());
}
