// The time of a post, in the author's own zone: what it means elsewhere, and what is wrong with it.

import { h, setText } from "./dom.js";
import { distance, fromInputValue, inUtc, now, offsetAt, toInputValue, zone } from "./times.js";

const MINUTE = 60_000;
const GRACE = MINUTE; // as createPost has it: the time it takes to press the button
const HORIZON = 366 * 24 * 60 * MINUTE;

const QUICK_PICKS = [
  ["In an hour", () => new Date(now() + 60 * MINUTE)],
  ["Tomorrow 9:00", () => nineOClock(1)],
  ["Monday 9:00", () => nineOClock((8 - today().getDay()) % 7 || 7)],
];

/**
 * Makes a datetime-local input stand for an instant. Its value alone cannot: it has no fractions of a second, and in
 * autumn an hour comes twice. The instant it was set to therefore counts until another time is typed.
 * @param {HTMLInputElement} input
 * @param {HTMLElement} hint Says which zone it is in, which instant that is, and how far off.
 * @param {HTMLElement} picks Gets buttons for times that are often wanted, and for the other of two equal ones.
 * @returns {{set: (date: Date) => void, date: () => Date|null, fault: () => string|null, refresh: () => void}}
 *   `fault` is what keeps it from being a post's time, as a sentence. The hint follows what is typed, but the passing
 *   time only with `refresh`.
 */
export function whenField(input, hint, picks) {
  const place = h("span", { class: "zone" });
  const utc = h("span", { class: "utc number" });
  const other = pickButton("", () => {
    const { earlier, later, isLater } = read();
    return isLater ? earlier : later;
  });
  let given = null;
  let written = "";

  function set(date) {
    input.value = toInputValue(date);
    [given, written] = [date, input.value];
    refresh();
  }

  /** What stands there, as fromInputValue tells it, and which of two equal times is meant. */
  function read() {
    const typed = fromInputValue(input.value);
    const date = given && input.value === written ? given : typed.date;
    return { ...typed, earlier: typed.date, date, isLater: typed.later !== null && date >= typed.later };
  }

  function refresh() {
    const { date, isGap, later, isLater } = read();
    const which = later ? `, the ${isLater ? "later" : "earlier"} of two such times` : "";
    setText(place, `${zone} (${offsetAt(date ?? today())})${which}`);
    setText(utc, date && !isGap ? `${inUtc(date)}, ${distance(date)}` : "");
    setText(other, `Take the ${isLater ? "earlier" : "later"} one`);
    other.hidden = !later;
  }

  function pickButton(name, time) {
    const pick = () => {
      set(time());
      input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    return h("button", { type: "button", class: "button quiet", on: { click: pick } }, name);
  }

  hint.replaceChildren(place, utc);
  picks.replaceChildren(other, ...QUICK_PICKS.map(([name, time]) => pickButton(name, time)));
  input.addEventListener("input", refresh);
  refresh();
  return { set, date: () => read().date, fault: () => faultOf(read()), refresh };
}

/** An hour from now, at the next five minutes: where a new draft's time begins. */
export function proposedTime() {
  const step = 5 * MINUTE;
  return new Date(Math.ceil((now() + 60 * MINUTE) / step) * step);
}

function faultOf({ date, isGap }) {
  if (!date) return "Choose a day and a time.";
  if (isGap) return `This time does not exist: that night the clocks in ${zone} skip it. Choose another.`;
  if (date < now() - GRACE) return "This time has passed. Choose a later one.";
  if (date > now() + HORIZON) return "This is more than a year ahead. Choose an earlier time.";
  return null;
}

function nineOClock(daysAhead) {
  const day = today();
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + daysAhead, 9);
}

function today() {
  return new Date(now());
}
