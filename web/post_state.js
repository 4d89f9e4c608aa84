// What the state of a post means for its author: where it is listed, in which words, and what may be done about it.

import { dayAndTime, distance, instant, now, timeOfDay } from "./times.js";

/** Whether its outcome is unknown and will be looked up at X: until then, trying again might publish it twice. */
export function isBeingLookedUp(post) {
  return post.state === "unknown" && post.not_before !== null;
}

/** @returns {"pending"|"published"|"failed"} The list it is in. What waits for its author alone counts as failed. */
export function listOf(post) {
  if (post.state === "tweeted") return "published";
  const isOpen = ["scheduled", "sending"].includes(post.state) || isBeingLookedUp(post);
  return isOpen ? "pending" : "failed";
}

/** @returns {Set<"edit"|"move"|"remove"|"publishNow"|"tryAgain">} What the database lets its author do. */
export function actionsOf(post) {
  if (post.state === "sending" || post.state === "tweeted") return new Set();
  if (isBeingLookedUp(post)) return new Set(["remove"]);
  return new Set(["edit", "move", "remove", post.state === "scheduled" ? "publishNow" : "tryAgain"]);
}

/** @returns {{word: string, tone: ""|"good"|"bad"|"wait"|"accent"}} The state in a word or two. */
export function stateOf(post) {
  switch (post.state) {
    case "scheduled":
      if (waitsUntil(post) > now() && instant(post.schedule_for) <= now()) return { word: "Waiting", tone: "wait" };
      return instant(post.schedule_for) > now() ? { word: "Scheduled", tone: "" } : { word: "Due", tone: "accent" };
    case "sending":
      return { word: "Publishing", tone: "accent" };
    case "tweeted":
      return { word: "Published", tone: "good" };
    case "unknown":
      return isBeingLookedUp(post) ? { word: "Looking it up", tone: "wait" } : { word: "Unclear", tone: "bad" };
    case "missed":
      return { word: "Missed", tone: "bad" };
    default:
      return { word: "Failed", tone: "bad" };
  }
}

/** Why it is as it is, and what happens next, as sentences; empty when there is nothing to say. */
export function explanationOf(post) {
  if (post.state === "tweeted" || post.state === "sending") return "";
  return [post.reason, ...next(post)].filter(Boolean).join(" ");
}

function next(post) {
  if (isBeingLookedUp(post)) {
    return [`X is asked ${at(post.not_before)}. Until then it is not tried again: it might come out twice.`];
  }
  if (post.state !== "scheduled") return [];
  const held = hold(post);
  if (held) return [`${held.who} to wait until ${dayAndTime(held.held_until)}.`, held.held_because];
  return instant(post.not_before ?? 0) > now() ? [`The next try is ${at(post.not_before)}.`] : [];
}

function at(value) {
  return instant(value) > now() ? `at ${timeOfDay(value)}, ${distance(value)}` : "any moment now";
}

function waitsUntil(post) {
  return Math.max(instant(post.not_before ?? 0), instant(hold(post)?.held_until ?? 0));
}

/** Who X refuses for longer than the post would wait anyway: its account, or our app with all posts. */
function hold({ account, app, schedule_for }) {
  const ends = Math.max(instant(schedule_for), now());
  const isHeld = (holder) => Boolean(holder?.held_until) && instant(holder.held_until) > ends;
  if (isHeld(app)) return { who: "All posts have", ...app };
  return isHeld(account) ? { who: `@${account.account_name} has`, ...account } : null;
}
