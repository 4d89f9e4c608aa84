// The clocks of a time zone: of the author's, which is the browser's unless the settings name another one.

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** The zone of this device when the page was loaded, such as Europe/Berlin. */
export const deviceZone = presentZone();

let authorsZone = deviceZone;

/** Whether the device is in that zone still: a laptop may wake in another one, and the page keeps the one it names. */
let isThereStill = true;

setInterval(() => {
  isThereStill = presentZone() === deviceZone;
}, 1_000);

/** The name of the author's time zone. */
export function zone() {
  return authorsZone;
}

/**
 * From now on the author's clocks are those of another zone.
 * @param {string|null} name Null: those of the device.
 */
export function useZone(name) {
  authorsZone = name !== null && isKnown(name) ? name : deviceZone;
}

/**
 * What the clocks of a zone show at an instant, in milliseconds, as if they were at UTC.
 * @param {Date|number} at
 * @param {string} [zone]
 */
export function wallClock(at, zone = authorsZone) {
  const time = Number(at);
  if (zone === deviceZone && isThereStill) return time - new Date(time).getTimezoneOffset() * MINUTE;
  const parts = Object.fromEntries(
    formatOf(zone)
      .formatToParts(time)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const shown = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return shown + (((time % 1000) + 1000) % 1000);
}

/**
 * The same as a Date, whose UTC fields are what the author's clocks show.
 * @param {Date|number} at
 */
export function wallFields(at) {
  return new Date(wallClock(at));
}

/**
 * What the author's clocks show at the midnight at which the day of an instant begins.
 * @param {Date|number} at
 */
export function wallMidnight(at) {
  return Math.floor(wallClock(at) / DAY) * DAY;
}

/**
 * The instant at which the clocks of a zone show a time: the earlier one of two. A time that they skip is as much later
 * as they leap.
 * @param {number} wanted What they show, as if they were at UTC.
 * @param {string} [zone]
 */
export function instantAt(wanted, zone = authorsZone) {
  const candidates = [wanted - DAY, wanted + DAY].map((near) => wanted - (wallClock(near, zone) - near));
  const found = candidates.find((candidate) => wallClock(candidate, zone) === wanted);
  return new Date(found ?? Math.max(...candidates));
}

function presentZone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {string} zone */
function formatOf(zone) {
  const known = formats.get(zone);
  if (known) return known;
  /** @type {Intl.DateTimeFormatOptions} */
  const options = {
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  };
  const timeZone = isKnown(zone) ? zone : "UTC"; // the database may have a zone that this browser has not
  const made = new Intl.DateTimeFormat("en-US", { ...options, hourCycle: "h23", timeZone });
  formats.set(zone, made);
  return made;
}

/** @param {string} zone */
function isKnown(zone) {
  try {
    return Boolean(new Intl.DateTimeFormat("en-US", { timeZone: zone }));
  } catch {
    return false;
  }
}
