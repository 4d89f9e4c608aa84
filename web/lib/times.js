// Instants are Date objects or Hasura's ISO strings; what people read is in the author's time zone.

import { now } from "./clock.js";
import { instantAt, useZone, wallClock, wallFields, wallMidnight, zone } from "./zone.js";

export { now };

/** @typedef {Date|string|number} Instant */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const X_EPOCH = 1288834974657n; // X's docs, X IDs: a snowflake's upper bits count milliseconds from here

/** The browser's English, or British English beside the page's English words. */
const LANGUAGE = navigator.language.startsWith("en") ? undefined : "en-GB";
const BROWSERS_HOURS = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions().hour12 ? "h12" : "h23";

let clocks = clocksOf(BROWSERS_HOURS);
const shortDay = dateFormat({ weekday: "short", day: "numeric", month: "short" });
const shortDayWithYear = dateFormat({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
const longDay = dateFormat({ weekday: "long", day: "numeric", month: "long" });
const longDayWithYear = dateFormat({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
const offset = dateFormat({ timeZoneName: "shortOffset" });

/**
 * A format of dates in the author's zone.
 * @param {Intl.DateTimeFormatOptions} options
 */
export function dateFormat(options) {
  let madeFor = "";
  /** @type {Intl.DateTimeFormat} */
  let made;

  function format() {
    if (madeFor !== zone()) made = new Intl.DateTimeFormat(LANGUAGE, { timeZone: zone(), ...options });
    madeFor = zone();
    return made;
  }

  return {
    format: (/** @type {Date|number} */ date) => format().format(date),
    formatToParts: (/** @type {Date|number} */ date) => format().formatToParts(date),
    formatRange: (/** @type {Date} */ first, /** @type {Date} */ last) => format().formatRange(first, last),
  };
}

/**
 * Shows times as the author wants them. Null is as the browser has it.
 * @param {{hour_cycle: "h12"|"h23"|null, time_zone: string|null}} wanted
 */
export function showTimesAs({ hour_cycle, time_zone }) {
  useZone(time_zone);
  clocks = clocksOf(hour_cycle ?? BROWSERS_HOURS);
}

/** @param {"h12"|"h23"} hourCycle */
function clocksOf(hourCycle) {
  /** @param {Intl.DateTimeFormatOptions} options */
  const format = (options) => new Intl.DateTimeFormat(LANGUAGE, { timeZone: zone(), ...options, hourCycle });
  const is12Hours = hourCycle === "h12"; // "8:05 AM", where others write "08:05"
  /** @type {Intl.DateTimeFormatOptions} */
  const toMinutes = { hour: is12Hours ? "numeric" : "2-digit", minute: "2-digit" };
  const minutes = format(toMinutes);
  return {
    minutes,
    seconds: format({ ...toMinutes, second: "2-digit" }),
    milliseconds: format({ ...toMinutes, second: "2-digit", fractionalSecondDigits: 3 }),
    fullHour: is12Hours ? format({ hour: "numeric" }) : minutes,
  };
}

/**
 * An instant as a Date: of Hasura's ISO string (any number of second's digits), of milliseconds, or of a Date.
 * @param {Instant} value
 */
export function instant(value) {
  return value instanceof Date ? value : new Date(value);
}

/**
 * "14:30", with seconds where they are not zero.
 * @param {Instant} value
 */
export function timeOfDay(value) {
  const date = instant(value);
  return (date.getSeconds() ? clocks.seconds : clocks.minutes).format(date);
}

/**
 * "14:30" or "2:30 PM"
 * @param {Instant} value
 */
export function timeToTheMinute(value) {
  return clocks.minutes.format(instant(value));
}

/**
 * "14:00" or "2 PM", of a full hour
 * @param {Instant} value
 */
export function hourOfDay(value) {
  return clocks.fullHour.format(instant(value));
}

/**
 * "14:30:00.069"
 * @param {Instant} value
 */
export function timeToTheMillisecond(value) {
  return clocks.milliseconds.format(instant(value));
}

/**
 * "Today, 14:30", "Tue, 24 Nov, 9:00": a day and a time in few words; the year where it is another one.
 * @param {Instant} value
 */
export function dayAndTime(value) {
  const date = instant(value);
  return `${nearDay(date) ?? (isThisYear(date) ? shortDay : shortDayWithYear).format(date)}, ${timeOfDay(date)}`;
}

/**
 * "Today", "Tomorrow", "Yesterday", or the day in full; the year where it is another one.
 * @param {Instant} value
 */
export function dayName(value) {
  const date = instant(value);
  return nearDay(date) ?? (isThisYear(date) ? longDay : longDayWithYear).format(date);
}

/** @param {Date} date */
function isThisYear(date) {
  return wallFields(date).getUTCFullYear() === wallFields(now()).getUTCFullYear();
}

/** @param {Date} date */
function nearDay(date) {
  const days = Math.round((startOfDay(date).getTime() - startOfDay(now()).getTime()) / DAY); // of 23 to 25 hours
  return ["Yesterday", "Today", "Tomorrow"][days + 1];
}

/**
 * The local day as "2026-11-24", which sorts.
 * @param {Instant} value
 */
export function dayKey(value) {
  return wallFields(instant(value)).toISOString().slice(0, 10);
}

/**
 * Midnight at which the local day of an instant begins.
 * @param {Instant} value
 */
export function startOfDay(value) {
  return instantAt(wallMidnight(instant(value)));
}

/**
 * The instant that many days later at the same time of day, however long the days between are.
 * @param {Date} date
 * @param {number} days
 */
export function addDays(date, days) {
  return days === 0 ? new Date(date) : instantAt(wallClock(date) + days * DAY);
}

/**
 * The offset from UTC in force at an instant, as "GMT+1".
 * @param {Instant} value
 */
export function offsetAt(value) {
  return offset.formatToParts(instant(value)).find((part) => part.type === "timeZoneName")?.value ?? "";
}

/**
 * "2026-11-24 13:30:00 UTC"
 * @param {Instant} value
 */
export function inUtc(value) {
  return `${instant(value).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/**
 * What a datetime-local input holds for an instant: "2026-11-24T14:30:00", local, to the second.
 * @param {Instant} value
 */
export function toInputValue(value) {
  return wallFields(instant(value)).toISOString().slice(0, 19);
}

/**
 * The instant that a datetime-local input's value means.
 * @param {string} value
 * @returns {{date: Date|null, isGap: boolean, later: Date|null}} `date` is null for an empty value; `isGap`: clocks skip
 *   this time; `later`: when this time comes a second time that day, after `date`.
 */
export function fromInputValue(value) {
  const wanted = Date.parse(`${value}Z`);
  if (Number.isNaN(wanted)) return { date: null, isGap: false, later: null };
  const date = instantAt(wanted);
  return { date, isGap: !toInputValue(date).startsWith(value.slice(0, 16)), later: secondTime(date) };
}

/**
 * When the clocks, having gone back, show the time of `date` again; null when they do not.
 * @param {Date} date
 */
export function secondTime(date) {
  const soon = new Date(date.getTime() + 3 * HOUR); // clocks go back by two hours at most
  const goBack = wallClock(date) + 3 * HOUR - wallClock(soon);
  const later = new Date(date.getTime() + goBack);
  return later > date && toInputValue(later) === toInputValue(date) ? later : null;
}

/**
 * How long from now, or ago: "in 12 s", "in 5 min", "in 3 h", "in 2 days"; "now" within a second.
 * @param {Instant} value
 */
export function distance(value, from = now()) {
  const milliseconds = instant(value).getTime() - from;
  const length = duration(Math.abs(milliseconds));
  if (Math.abs(milliseconds) < 1000) return "now";
  return milliseconds > 0 ? `in ${length}` : `${length} ago`;
}

/**
 * A length of time in few words: "12 s", "5 min", "3 h", "2 days".
 * @param {number} milliseconds
 */
export function duration(milliseconds) {
  if (milliseconds < MINUTE) return `${Math.floor(milliseconds / 1000)} s`;
  if (milliseconds < 10 * MINUTE) {
    const seconds = Math.floor((milliseconds % MINUTE) / 1000);
    return `${Math.floor(milliseconds / MINUTE)} min${seconds ? ` ${seconds} s` : ""}`;
  }
  if (milliseconds < HOUR) return `${Math.round(milliseconds / MINUTE)} min`;
  if (milliseconds < 2 * DAY) return `${Math.round(milliseconds / HOUR)} h`;
  return `${Math.round(milliseconds / DAY)} days`;
}

/**
 * When X made the tweet of a post, to the millisecond: it is part of the id. Null when there is none.
 * @param {{tweet_id: string|null, schedule_for: string}} post
 */
export function publishedAt(post) {
  if (!/^\d{10,20}$/.test(post.tweet_id ?? "")) return null;
  return new Date(Number((BigInt(post.tweet_id ?? 0) >> 22n) + X_EPOCH));
}

/**
 * By how many milliseconds (with a fraction) X had the post after its time; negative: before it. Null when it is not
 * published.
 * @param {{tweet_id: string|null, schedule_for: string}} post
 */
export function lateness(post) {
  const published = publishedAt(post);
  if (!published) return null;
  return published.getTime() - instant(post.schedule_for).getTime() - microseconds(post.schedule_for) / 1000;
}

/**
 * What a Date does not keep of Hasura's "2026-11-24T13:30:00.069412+00:00": 412.
 * @param {string} value
 */
function microseconds(value) {
  return Number((/\.\d{3}(\d{1,3})/.exec(value)?.[1] ?? "").padEnd(3, "0"));
}

/**
 * A number of milliseconds for people: "0.412 s", "1 min 12 s", "3 h".
 * @param {number} milliseconds
 */
export function inSeconds(milliseconds) {
  return milliseconds < MINUTE ? `${(milliseconds / 1000).toFixed(3)} s` : duration(milliseconds);
}

/**
 * "0.412 s late", "0.069 s early", or "" for a post that is not published.
 * @param {{tweet_id: string|null, schedule_for: string}} post
 */
export function latenessInWords(post) {
  const late = lateness(post);
  if (late === null) return "";
  return `${inSeconds(Math.abs(late))} ${late < 0 ? "early" : "late"}`;
}
