// The time by the server's clock: the device's own clock may be minutes off, and posts are published by the server's.
//
// Hasura sends no time, and the `Date` header of other origins cannot be read. But the host of this page sends its time
// with each answer.

const EVERY = 10 * 60_000; // the device's clock may be corrected, or drift, while the page is open
const WORTH_TELLING = 60_000;
const SECOND = 1_000; // `Date` has no fraction of a second

let offset = 0; // of the server's clock from the device's, in milliseconds

/** Fires `change` when the measured difference changes. */
export const clock = new EventTarget();

/** Now, in milliseconds since 1970: by the server's clock when it is known, else by the device's. */
export function now() {
  return Date.now() + offset;
}

/** By how many milliseconds the device's clock is behind the server's; negative: ahead; 0: less than a minute off. */
export function behind() {
  return Math.abs(offset) > WORTH_TELLING ? offset : 0;
}

async function measure() {
  if (document.hidden) return;
  const sentAt = Date.now();
  const time = await serverTime();
  const answeredAt = Date.now();
  if (time === null) return;
  const [least, most] = [time - answeredAt, time + SECOND - sentAt];
  if (least <= offset && offset <= most) return;
  offset = least <= 0 && 0 <= most ? 0 : (least + most) / 2;
  clock.dispatchEvent(new Event("change"));
}

/** Null without an answer, or without a time in it. A query of its own keeps caches from answering with an old one. */
async function serverTime() {
  try {
    const { headers } = await fetch(`config.json?at=${Date.now()}`, { method: "HEAD", cache: "no-store" });
    const time = Date.parse(headers.get("Date") ?? "") + Number(headers.get("Age")) * SECOND;
    return Number.isNaN(time) ? null : time;
  } catch {
    return null;
  }
}

measure();
setInterval(measure, EVERY);
document.addEventListener("visibilitychange", measure);
