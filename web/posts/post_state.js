// What the state of a post means for its author: its list, its name, why it is so, and what the author may do.

import { dayAndTime, distance, instant, now, timeOfDay } from "../lib/times.js";

/** @import { App, Post } from "./posts.js" */

/**
 * Whether its outcome is unknown and will be reconciled with X. Until then, another attempt might publish it twice.
 * @param {Post} post
 */
export function willBeReconciled(post) {
  return post.state === "unknown" && post.reconcile_at !== null;
}

/**
 * @param {Post} post
 * @returns {"pending"|"published"|"failed"} Its list. A post on which its author must decide counts as failed.
 */
export function listOf(post) {
  if (post.state === "tweeted") return "published";
  const isOpen = ["scheduled", "sending"].includes(post.state) || willBeReconciled(post);
  return isOpen ? "pending" : "failed";
}

/**
 * What the database lets its author do.
 * @typedef {"edit"|"move"|"remove"|"publishNow"|"tryAgain"} Action
 * @param {Post} post
 * @returns {Set<Action>}
 */
export function actionsOf(post) {
  if (post.state === "sending" || post.state === "tweeted") return new Set();
  if (willBeReconciled(post)) return new Set(["remove"]);
  return new Set(["edit", "move", "remove", post.state === "scheduled" ? "publishNow" : "tryAgain"]);
}

/**
 * The state in a word or two.
 * @param {Post} post
 * @returns {{word: string, tone: ""|"good"|"bad"|"wait"|"accent"}}
 */
export function stateOf(post) {
  switch (post.state) {
    case "scheduled":
      if (instant(post.schedule_for).getTime() > now()) return { word: "Scheduled", tone: "" };
      return waitsUntil(post) > now() ? { word: "Waiting", tone: "wait" } : { word: "Due", tone: "accent" };
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
  return [post.reason, ...nextStep(post)].filter(Boolean).join(" ");
}

/** @param {Post} post */
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
 * A pause that lasts until an operator ends it is stored with a time that nobody waits for.
 * @param {string} end
 */
function untilWhen(end) {
  return instant(end).getUTCFullYear() < 8000 ? ` until ${dayAndTime(end)}` : "";
}

/** @param {string|null} value */
function timeAndDistance(value) {
  return `${timeOfDay(value ?? 0)}, ${distance(value ?? 0)}`;
}

/** @param {Post} post */
function waitsUntil(post) {
  return Math.max(timeOf(post.next_attempt_at), timeOf(pauseOf(post)?.until));
}

/**
 * The pause of its account, or of the app with all posts, if it lasts longer than the post would wait anyway.
 * @param {Post} post
 */
function pauseOf({ account, app, schedule_for }) {
  const end = Math.max(timeOf(schedule_for), now());
  /** @param {App|null} paused */
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
