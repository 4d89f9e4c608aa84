// What the state of a post means for its author: its list, its name, why it is so, and what the author may do.

import { dayAndTime, distance, instant, now, timeOfDay } from "../lib/times.js";

/** @import { Pausable, Post } from "./posts.js" */

const UNDO = 10_000; // longer than a message is shown

/**
 * Whether its outcome is unknown and will be reconciled with X. Until then, another attempt might publish it twice.
 * @param {Post} post
 */
export function willBeReconciled(post) {
  return post.state === "unknown" && post.reconcile_at !== null;
}

/**
 * @param {Post} post
 * @returns {"drafts"|"pending"|"published"|"failed"} Its list. A post on which its author must decide counts as failed.
 */
export function listOf(post) {
  if (post.state === "draft") return "drafts";
  if (post.state === "tweeted") return "published";
  const isOpen = ["scheduled", "sending"].includes(post.state) || willBeReconciled(post);
  return isOpen ? "pending" : "failed";
}

/**
 * Whether a pause keeps it from being published at its time.
 * @param {Post} post
 */
export function isHeld(post) {
  return post.state === "scheduled" && pauseOf(post) !== null;
}

/**
 * Whether its author should look at it: it failed, or a pause holds it.
 * @param {Post} post
 */
export function needsAttention(post) {
  return listOf(post) === "failed" || isHeld(post);
}

/**
 * Whether it is published within this time, unless its author prevents that.
 * @param {Post} post
 * @param {number} milliseconds
 */
export function goesOutWithin(post, milliseconds) {
  const at = Math.max(timeOf(post.schedule_for), timeOf(post.next_attempt_at));
  return post.state === "scheduled" && !pauseOf(post) && at < now() + milliseconds;
}

/**
 * Whether a post that was moved may be given this former time again: a closed post, or one whose time comes while its
 * author can still undo the move, would be published at once.
 * @param {Post} before The post as it was.
 */
export function canBeMovedBack(before) {
  return listOf(before) === "pending" && timeOf(before.schedule_for) > now() + UNDO;
}

/**
 * What the database lets its author do.
 * @typedef {"edit"|"move"|"remove"|"publishNow"|"tryAgain"|"makeDraft"} Action
 * @param {Post} post
 * @returns {Set<Action>}
 */
export function actionsOf(post) {
  if (post.state === "draft") return new Set(["edit", "remove"]);
  if (post.state === "sending" || post.state === "tweeted") return new Set();
  if (willBeReconciled(post)) return new Set(["remove"]);
  const actions = new Set(/** @type {Action[]} */ (["edit", "move", "remove"]));
  if (post.state !== "unknown") actions.add("makeDraft");
  return actions.add(post.state === "scheduled" ? "publishNow" : "tryAgain");
}

/**
 * The state in a word or two.
 * @param {Post} post
 * @returns {{word: string, tone: ""|"good"|"bad"|"wait"|"accent"}}
 */
export function stateOf(post) {
  switch (post.state) {
    case "draft":
      return { word: "Draft", tone: "" };
    case "scheduled":
      if (pauseOf(post)) return { word: "Paused", tone: "wait" };
      if (instant(post.schedule_for).getTime() > now()) return { word: "Scheduled", tone: "" };
      return timeOf(post.next_attempt_at) > now()
        ? { word: "Retrying", tone: "wait" }
        : { word: "Due", tone: "accent" };
    case "sending":
      return { word: "Publishing", tone: "accent" };
    case "tweeted":
      return { word: "Published", tone: "good" };
    case "unknown":
      return willBeReconciled(post) ? { word: "Checking X", tone: "wait" } : { word: "Unclear", tone: "bad" };
    case "missed":
      return { word: "Missed", tone: "bad" };
    default:
      return { word: "Failed", tone: "bad" };
  }
}

/**
 * Why it is in this state, and what happens next, as sentences; empty when there is nothing to say.
 * @param {Post} post
 */
export function explanationOf(post) {
  if (post.state === "tweeted" || post.state === "sending") return "";
  const steps = nextStep(post);
  const isSaid = steps.includes(post.reason); // a pause has the reason of the post for which it began
  return [isSaid ? null : post.reason, ...steps].filter(Boolean).join(" ");
}

/**
 * @param {Post} post
 * @returns {(string|null)[]}
 */
function nextStep(post) {
  if (willBeReconciled(post)) {
    const when = timeOf(post.reconcile_at) > now() ? `At ${timeAndDistance(post.reconcile_at)},` : "Now";
    return [`${when} X is asked whether it has this post. An attempt before that might publish it twice.`];
  }
  if (post.state !== "scheduled") return [];
  const pause = pauseOf(post);
  if (pause) return [`${pause.who} paused${untilWhen(pause.until)}.`, pause.reason];
  const isLater = timeOf(post.next_attempt_at) > now();
  return isLater ? [`The next attempt is at ${timeAndDistance(post.next_attempt_at)}.`] : [];
}

/**
 * " until Today, 16:57"; empty for a pause that lasts until an operator ends it, whose time nobody waits for.
 * @param {string} end
 */
export function untilWhen(end) {
  return instant(end).getUTCFullYear() < 8000 ? ` until ${dayAndTime(end)}` : "";
}

/** @param {string|null} value */
function timeAndDistance(value) {
  return `${timeOfDay(value ?? 0)}, ${distance(value ?? 0)}`;
}

/**
 * The pause of its account, or of the app with all posts, if it lasts longer than the post would wait anyway.
 * @param {Pick<Post, "account"|"app"|"schedule_for">} post
 */
export function pauseOf({ account, app, schedule_for }) {
  const end = Math.max(timeOf(schedule_for), now());
  /** @param {Pausable|null} paused */
  const lasts = (paused) => timeOf(paused?.paused_until) > end;
  if (app?.paused_until && lasts(app)) {
    return { who: "All posts are", until: app.paused_until, reason: app.paused_reason };
  }
  if (!account?.paused_until || !lasts(account)) return null;
  return { who: `@${account.account_name} is`, until: account.paused_until, reason: account.paused_reason };
}

/** @param {string|null|undefined} value */
function timeOf(value) {
  return instant(value ?? 0).getTime();
}
