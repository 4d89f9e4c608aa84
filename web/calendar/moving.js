// Moving a post in the calendar: it is picked up, dragged and dropped; then the server is asked, which may refuse.

import { messageOf } from "../lib/http.js";
import { dayAndTime, instant, now, timeOfDay } from "../lib/times.js";
import { showToast } from "../lib/toast.js";
import { beginning } from "../posts/beginning.js";
import { actionsOf, canBeMovedBack, willBeReconciled } from "../posts/post_state.js";

/** @import { Entry } from "./entry.js" */
/** @import { Post, PostStore } from "../posts/posts.js" */

const HELP = "Arrow keys move it, Enter drops it, Escape cancels.";

/** @typedef {ReturnType<typeof moving>} Moving */

/**
 * @param {object} calendar
 * @param {PostStore} calendar.posts
 * @param {(id: number, date: Date) => Promise<{updated_at: string}>} calendar.move Asks the server.
 * @param {(message: string) => void} calendar.announce Shows each step.
 * @param {(message: string) => void} calendar.showError Shows a refusal; "" removes the last one.
 * @param {(message: string) => Promise<boolean>} calendar.confirm Called before a post is moved to the past.
 * @param {() => void} calendar.redraw
 * @param {(id: number) => void} calendar.reveal Shows a post that is back at its time.
 */
export function moving({ posts, move, announce, showError, confirm, redraw, reveal }) {
  /** @type {Map<number, {time: Date, updatedAt: string|null}>} The requested time of a post, by its id, and the
   * `updated_at` that will show it. */
  const requested = new Map();
  /** @type {{id: number, time: Date}|null} */
  let dragged = null;

  /**
   * Where a post stands in the calendar.
   * @param {Post} post
   * @returns {Entry}
   */
  function entryOf(post) {
    if (dragged?.id === post.id) return { post, time: dragged.time, status: "dragged" };
    const request = requested.get(post.id);
    if (request) return { post, time: request.time, status: "moving" };
    return { post, time: instant(post.schedule_for), status: "" };
  }

  /**
   * Returns whether the post can be moved; if not, the reason is announced.
   * @param {number} id
   */
  function pickUp(id, help = HELP) {
    showError("");
    const post = posts.get(id);
    if (!post) return false;
    const reason = requested.has(id) ? "It is being moved already." : reasonToStay(post);
    if (reason) {
      announce(`“${beginning(post.text)}” cannot be moved. ${reason}`);
      return false;
    }
    dragged = { id, time: instant(post.schedule_for) };
    announce(`Picked up “${beginning(post.text)}”, ${dayAndTime(dragged.time)}. ${help}`);
    redraw();
    return true;
  }

  /** @param {Date} time */
  function dragTo(time) {
    if (!dragged || time.getTime() === dragged.time.getTime()) return;
    dragged.time = time;
    announce(`${dayAndTime(time)}${isPast(time) ? ", which has passed: it would be published at once" : ""}.`);
    redraw();
  }

  async function drop() {
    const post = dragged && posts.get(dragged.id);
    if (!dragged || !post) return;
    const { id, time } = dragged;
    if (isAt(post, time)) {
      cancel();
      return;
    }
    if (isPast(time)) {
      const isConfirmed = await confirm(`${dayAndTime(time)} has passed.`);
      if (dragged?.id !== id) return; // it was published meanwhile, or deleted
      if (!isConfirmed) {
        cancel();
        return;
      }
    }
    dragged = null;
    await request(post, time);
  }

  /**
   * @param {Post} post
   * @param {Date} time
   */
  async function request(post, time) {
    const name = `“${beginning(post.text)}”`;
    requested.set(post.id, { time, updatedAt: null });
    announce(`Moving ${name} to ${dayAndTime(time)}.`);
    redraw();
    try {
      const { updated_at } = await move(post.id, time);
      requested.set(post.id, { time, updatedAt: updated_at });
      announce(`Moved ${name} to ${dayAndTime(time)}.`);
      offerUndo(post, time);
    } catch (error) {
      requested.delete(post.id);
      const present = posts.get(post.id);
      announce("");
      showError(`${present ? `${name} stays at ${dayAndTime(present.schedule_for)}. ` : ""}${messageOf(error)}`);
      reveal(post.id);
    }
    settle();
  }

  /**
   * @param {Post} before
   * @param {Date} time
   */
  function offerUndo(before, time) {
    if (!canBeMovedBack(before) || isPast(time)) return;
    const undo = () => {
      const post = posts.get(before.id);
      if (post) request(post, instant(before.schedule_for));
    };
    showToast(`Moved to ${dayAndTime(time)}.`, { action: { name: "Undo", act: undo } });
  }

  function cancel() {
    const id = dragged?.id;
    end();
    if (id) reveal(id);
  }

  /** Cancels, and leaves the view as it is: the author is going elsewhere. */
  function end() {
    if (!dragged) return;
    const post = posts.get(dragged.id);
    dragged = null;
    announce(post ? `Cancelled: it stays at ${dayAndTime(post.schedule_for)}.` : "");
    redraw();
  }

  /** Takes changed posts: a requested time may be shown now, the dragged post may be deleted. */
  function settle() {
    for (const [id, { time, updatedAt }] of requested) {
      const post = posts.get(id);
      const isOvertaken = post && updatedAt !== null && instant(post.updated_at) >= instant(updatedAt);
      if (!post || isAt(post, time) || isOvertaken) requested.delete(id);
    }
    const post = dragged && posts.get(dragged.id);
    const reason = post ? reasonToStay(post) : "It was deleted.";
    if (dragged && reason) {
      dragged = null;
      showError(`It can no longer be moved. ${reason}`);
    }
    redraw();
  }

  return { entryOf, pickUp, dragTo, drop, cancel, end, settle, dragged: () => dragged };
}

/**
 * Why a post cannot be moved; empty when it can.
 * @param {Post} post
 */
function reasonToStay(post) {
  if (actionsOf(post).has("move")) return "";
  if (post.state === "tweeted") return "It is published.";
  if (post.state === "sending") return "It is being published just now.";
  if (!willBeReconciled(post) || !post.reconcile_at) return "It is closed.";
  return `At ${timeOfDay(post.reconcile_at)} X is asked whether it has this post; before that it might be published twice.`;
}

/**
 * @param {Post} post
 * @param {Date} time
 */
function isAt(post, time) {
  return instant(post.schedule_for).getTime() === time.getTime();
}

/** @param {Date} time */
function isPast(time) {
  return time.getTime() < now();
}
