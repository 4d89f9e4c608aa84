// The time by the server's clock: the device's own may be minutes off, and the posts go out by the server's.
//
// Hasura tells no time, and other origins' `Date` cannot be read. But whatever host serves this page says with each
// answer what time it has.

const EVERY = 10 * 60_000; // the device's clock may be set right, or wander, while the page is open
const WORTH_TELLING = 60_000;
const SECOND = 1_000; // `Date` leaves out the fraction

let offset = 0; // of the server's clock from the device's, in milliseconds

/** Fires `change` when more, or less, is known of the server's clock. */
export const clock = new EventTarget();

/** Now, in milliseconds since 1970: by the server's clock when it is known, else by the device's. */
export function now() {
  return Date.now() + offset;
}

/** By how many milliseconds the device's clock is behind the server's; negative: ahead; 0: less than a minute off. */
export function behind() {
  return Math.abs(offset) > WORTH_TELLING ? offset : 0;
}

async function learn() {
  if (document.hidden) return;
  const askedAt = Date.now();
  const time = await serverTime();
  const answeredAt = Date.now();
  if (time === null) return;
  const [least, most] = [time - answeredAt, time + SECOND - askedAt];
  if (least <= offset && offset <= most) return;
  offset = least <= 0 && 0 <= most ? 0 : (least + most) / 2;
  clock.dispatchEvent(new Event("change"));
}

/** Null when nobody answers, or without a time. A query of its own keeps caches from answering with an old one. */
async function serverTime() {
  try {
    const { headers } = await fetch(`config.json?at=${Date.now()}`, { method: "HEAD", cache: "no-store" });
    const time = Date.parse(headers.get("Date")) + Number(headers.get("Age")) * SECOND;
    return Number.isNaN(time) ? null : time;
  } catch {
    return null;
  }
}

learn();
setInterval(learn, EVERY);
document.addEventListener("visibilitychange", learn);
