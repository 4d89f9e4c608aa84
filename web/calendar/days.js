// The days of the calendar, in the author's zone. A Date that stands for a day is its midnight.

import { addDays, dateFormat, dayKey, now, secondTime, startOfDay } from "../lib/times.js";
import { instantAt, wallClock, wallFields, wallMidnight } from "../lib/zone.js";
import { posts } from "../posts/posts.js";

const DAYS_OF_A_WEEK = 7;
const MINUTE = 60_000;
const dayOfMonth = dateFormat({ day: "numeric", month: "long", year: "numeric" });
const monthAndYear = dateFormat({ month: "long", year: "numeric" });

/**
 * The instant at the same time of day on another day, or the very same instant on its own day.
 * @param {Date} date
 * @param {Date} day
 */
export function onDay(date, day) {
  if (isSameDay(date, day)) return new Date(date);
  return instantAt(wallMidnight(day) + wallClock(date) - wallMidnight(date));
}

/**
 * The instant at that many minutes of a day, by the clock; if the clock shows them twice, the one nearer to `before`.
 * @param {Date} day
 * @param {number} minutes
 * @param {Date} before
 */
export function atMinutes(day, minutes, before) {
  const first = instantAt(wallMidnight(day) + minutes * MINUTE);
  const second = secondTime(first);
  return second && distance(second, before) < distance(first, before) ? second : first;
}

/**
 * @param {Date} one
 * @param {Date} other
 */
function distance(one, other) {
  return Math.abs(one.getTime() - other.getTime());
}

/**
 * The first day of the week that `date` is in, as the author's language has weeks.
 * @param {Date} date
 */
export function startOfWeek(date) {
  const day = startOfDay(date);
  return addDays(day, -((wallFields(day).getUTCDay() - firstWeekday() + DAYS_OF_A_WEEK) % DAYS_OF_A_WEEK));
}

/**
 * That many days, beginning with `first`.
 * @param {Date} first
 * @param {number} count
 */
export function daysFrom(first, count) {
  return Array.from({ length: count }, (_, index) => addDays(first, index));
}

/**
 * The weeks, of seven days each, that contain days of the month of `date`.
 * @param {Date} date
 */
export function weeksOfMonth(date) {
  const weeks = [];
  const next = startOfMonth(date, 1);
  for (let day = startOfWeek(startOfMonth(date)); day < next; day = addDays(day, DAYS_OF_A_WEEK)) {
    weeks.push(daysFrom(day, DAYS_OF_A_WEEK));
  }
  return weeks;
}

/**
 * The first day of the month that `date` is in, or of another one.
 * @param {Date} date
 * @param {number} [later] By how many months.
 */
export function startOfMonth(date, later = 0) {
  const fields = wallFields(date);
  return instantAt(Date.UTC(fields.getUTCFullYear(), fields.getUTCMonth() + later, 1));
}

/**
 * @param {Date} one
 * @param {Date} other
 */
export function isSameDay(one, other) {
  return dayKey(one) === dayKey(other);
}

/** @param {Date} date */
export function isToday(date) {
  return dayKey(date) === dayKey(now());
}

/**
 * Minutes since midnight by the clock: a day of 23 hours has a gap, a day of 25 hours has an hour twice.
 * @param {Date|number} date
 */
export function minutesOfDay(date) {
  return Math.floor((wallClock(date) - wallMidnight(date)) / MINUTE);
}

/**
 * "23 – 29 November 2026"
 * @param {Date[]} days
 */
export function rangeTitle(days) {
  return dayOfMonth.formatRange(days[0], days[days.length - 1]);
}

/**
 * "November 2026"
 * @param {Date} date
 */
export function monthTitle(date) {
  return monthAndYear.format(date);
}

/**
 * The number of a day in its month.
 * @param {Date} day
 */
export function dayOfMonthOf(day) {
  return wallFields(day).getUTCDate();
}

/** As the author chose, or as the browser's language has it; 0 is Sunday. */
function firstWeekday() {
  const chosen = posts.author?.week_starts_on;
  if (chosen) return chosen % DAYS_OF_A_WEEK;
  /** @type {Intl.Locale & {getWeekInfo?: () => {firstDay: number}, weekInfo?: {firstDay: number}}} */
  const locale = new Intl.Locale(navigator.language);
  const { firstDay } = locale.getWeekInfo?.() ?? locale.weekInfo ?? { firstDay: 1 }; // Firefox has neither: Monday
  return firstDay % DAYS_OF_A_WEEK;
}
