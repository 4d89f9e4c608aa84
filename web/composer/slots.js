// The author's posting times of the week, and the next ones that no pending post has taken.

import { instant, now } from "../lib/times.js";
import { instantAt, wallClock } from "../lib/zone.js";

/** @import { Post, Slot } from "../posts/posts.js" */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const DAYS_AHEAD = 60;

/**
 * The next slot of an account without a pending post in its minute; null when there is none within 60 days.
 * @param {Slot[]} slots
 * @param {Post[]} pending
 * @param {number|null} account Null: of any account.
 * @returns {Date|null}
 */
export function nextFreeSlot(slots, pending, account) {
  const taken = new Set(pending.map(({ schedule_for }) => minuteOf(instant(schedule_for))));
  const own = slots.filter(({ account_id }) => account_id === null || account === null || account_id === account);
  const soon = now() + MINUTE;
  const free = own.map((slot) => firstOf(timesOf(slot), (time) => time.getTime() > soon && !taken.has(minuteOf(time))));
  return free.reduce((one, other) => (other && (!one || other < one) ? other : one), null);
}

/**
 * @param {Iterable<Date>} times
 * @param {(time: Date) => boolean} isWanted
 */
function firstOf(times, isWanted) {
  for (const time of times) if (isWanted(time)) return time;
  return null;
}

/** @param {Date} date */
export function minuteOf(date) {
  return Math.floor(date.getTime() / MINUTE);
}

/**
 * The instants of a slot, from today on, in its own zone: each at the same time of day, summer or winter. A generator,
 * because each instant costs time, the composer asks each second, and mostly needs the first ones.
 * @param {Slot} slot
 * @returns {Generator<Date>}
 */
function* timesOf({ weekday, at, time_zone }) {
  const [hour, minute] = at.split(":").map(Number);
  const today = wallClock(now(), time_zone);
  for (let days = 0; days <= DAYS_AHEAD; days += 1) {
    const day = new Date(today + days * DAY);
    if (day.getUTCDay() !== weekday % 7) continue;
    const wanted = Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate(), hour, minute);
    yield instantAt(wanted, time_zone);
  }
}
