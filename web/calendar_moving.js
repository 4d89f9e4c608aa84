// Moving a post in the calendar: it is picked up, carried and dropped; then the server is asked, which may refuse.

import { actionsOf, isBeingLookedUp } from "./post_state.js";
import { beginning } from "./post_text.js";
import { dayAndTime, instant, now, timeOfDay } from "./times.js";

const HELP = "Arrow keys move it, Enter drops it, Escape puts it back.";

/**
 * @param {object} calendar
 * @param {object} calendar.posts
 * @param {(id, date: Date) => Promise} calendar.move Asks the server.
 * @param {(words: string) => void} calendar.say Tells each step.
 * @param {(words: string) => void} calendar.complain Tells a refusal; "" takes the last one back.
 * @param {(words: string) => Promise<boolean>} calendar.confirm Asks before a post goes into the past.
 * @param {() => void} calendar.redraw
 * @param {(id) => void} calendar.seek Shows a post that stands again where it was.
 */
export function moving({ posts, move, say, complain, confirm, redraw, seek }) {
  const asked = new Map(); // by id: where a post is on its way to, and the `updated_at` that will tell of it
  let carried = null;

  /** Where a post stands in the calendar, and whether it is `carried` or `moving`. */
  function entryOf(post) {
    if (carried?.id === post.id) return { post, time: carried.time, status: "carried" };
    if (asked.has(post.id)) return { post, time: asked.get(post.id).time, status: "moving" };
    return { post, time: instant(post.schedule_for), status: "" };
  }

  /** Returns whether it could be picked up; if not, why is told. */
  function pickUp(id, help = HELP) {
    complain("");
    const post = posts.get(id);
    const words = asked.has(id) ? "It is being moved already." : whyNot(post);
    if (words) {
      say(`“${beginning(post.text)}” cannot be moved. ${words}`);
      return false;
    }
    carried = { id, time: instant(post.schedule_for) };
    say(`Picked up “${beginning(post.text)}”, ${dayAndTime(carried.time)}. ${help}`);
    redraw();
    return true;
  }

  function carryTo(time) {
    if (+time === +carried.time) return;
    carried.time = time;
    say(`${dayAndTime(time)}${isPast(time) ? ", which has passed: it would go out at once" : ""}.`);
    redraw();
  }

  async function drop() {
    const { id, time } = carried;
    const before = instant(posts.get(id).schedule_for);
    if (+time === +before) return putBack();
    if (isPast(time)) {
      const isWanted = await confirm(`${dayAndTime(time)} has passed.`);
      if (carried?.id !== id) return undefined; // it was published meanwhile, or deleted
      if (!isWanted) return putBack();
    }
    carried = null;
    return ask(id, time);
  }

  async function ask(id, time) {
    const name = `“${beginning(posts.get(id).text)}”`;
    const on = { time, updatedAt: null };
    asked.set(id, on);
    say(`Moving ${name} to ${dayAndTime(time)}.`);
    redraw();
    try {
      const answer = await move(id, time);
      on.updatedAt = answer?.updated_at ?? "";
      say(`Moved ${name} to ${dayAndTime(time)}.`);
    } catch (error) {
      asked.delete(id);
      const post = posts.get(id);
      say("");
      complain(post ? `${name} stays at ${dayAndTime(post.schedule_for)}. ${error.message}` : error.message);
      seek(id);
    }
    settle();
  }

  function putBack() {
    const id = carried?.id;
    letGo();
    if (id) seek(id);
  }

  /** Puts it back, while the author is on their way elsewhere. */
  function letGo() {
    if (!carried) return;
    const post = posts.get(carried.id);
    carried = null;
    say(post ? `Put back: ${dayAndTime(post.schedule_for)}.` : "");
    redraw();
  }

  /** Takes note of what changed: what was asked for may have come, what is carried may be gone. */
  function settle() {
    for (const [id, { time, updatedAt }] of asked) {
      const post = posts.get(id);
      const isThere = post && +instant(post.schedule_for) === +time;
      const isOvertaken = updatedAt !== null && post && instant(post.updated_at) >= instant(updatedAt || 0);
      if (!post || isThere || isOvertaken) asked.delete(id);
    }
    if (carried) keepIfItCanMove();
    redraw();
  }

  function keepIfItCanMove() {
    const post = posts.get(carried.id);
    const words = post ? whyNot(post) : "It was deleted.";
    if (!words) return;
    carried = null;
    complain(`It can no longer be moved. ${words}`);
  }

  return { entryOf, pickUp, carryTo, drop, putBack, letGo, settle, carried: () => carried };
}

/** Why a post stays where it is; empty when it can be moved. */
function whyNot(post) {
  if (actionsOf(post).has("move")) return "";
  if (post.state === "tweeted") return "It is published.";
  if (post.state === "sending") return "It is being published just now.";
  return isBeingLookedUp(post)
    ? `Whether it is on X is looked up at ${timeOfDay(post.not_before)}; until then it might come out twice.`
    : "It is closed.";
}

function isPast(time) {
  return time < now();
}
