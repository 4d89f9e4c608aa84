// The days of the calendar, in the author's zone. A Date that stands for a day is its midnight.

import { dayKey, secondTime, startOfDay } from "./times.js";

const DAYS_OF_A_WEEK = 7;
const dayOfMonth = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const monthAndYear = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric" });

/** The instant that many days later at the same time of day, however long the days between are. */
export function addDays(date, days) {
  const moved = new Date(date);
  moved.setDate(moved.getDate() + days);
  return moved;
}

/** The instant at the same time of day on another day, or the very same instant on its own. */
export function onDay(date, day) {
  if (isSameDay(date, day)) return new Date(date);
  const moved = new Date(date);
  moved.setFullYear(day.getFullYear(), day.getMonth(), day.getDate());
  return moved;
}

/** The instant at that many minutes of a day, by the clock; where it shows them twice, the one nearer to `before`. */
export function atMinutes(day, minutes, before) {
  const first = new Date(day.getFullYear(), day.getMonth(), day.getDate(), 0, minutes);
  const second = secondTime(first);
  return second && Math.abs(second - before) < Math.abs(first - before) ? second : first;
}

/** The first day of the week that `date` is in, as the author's language has weeks. */
export function startOfWeek(date) {
  const day = startOfDay(date);
  return addDays(day, -((day.getDay() - firstWeekday() + DAYS_OF_A_WEEK) % DAYS_OF_A_WEEK));
}

/** That many days from `first` on. */
export function daysFrom(first, count) {
  return Array.from({ length: count }, (_, index) => addDays(first, index));
}

/** The weeks, of seven days each, that the month of `date` touches. */
export function weeksOfMonth(date) {
  const weeks = [];
  const next = new Date(date.getFullYear(), date.getMonth() + 1, 1);
  for (let day = startOfWeek(startOfMonth(date)); day < next; day = addDays(day, DAYS_OF_A_WEEK)) {
    weeks.push(daysFrom(day, DAYS_OF_A_WEEK));
  }
  return weeks;
}

export function startOfMonth(date) {
  return new Date(date.getFullYear(), date.getMonth(), 1);
}

export function isSameDay(one, other) {
  return dayKey(one) === dayKey(other);
}

/** Minutes since midnight by the clock: a day of 23 or 25 hours has its gap or its hour twice. */
export function minutesOfDay(date) {
  return date.getHours() * 60 + date.getMinutes();
}

/** "23 – 29 November 2026" */
export function rangeTitle(days) {
  return dayOfMonth.formatRange(days[0], days.at(-1));
}

/** "November 2026" */
export function monthTitle(date) {
  return monthAndYear.format(date);
}

function firstWeekday() {
  const locale = new Intl.Locale(monthAndYear.resolvedOptions().locale);
  const { firstDay } = locale.getWeekInfo?.() ?? locale.weekInfo ?? { firstDay: 1 }; // Firefox does not tell: Monday
  return firstDay % DAYS_OF_A_WEEK;
}
