// One post: its time, text and state, its attempts, and the author's actions.

import { h, setAttribute, setText, showMessage } from "../lib/dom.js";
import { messageOf } from "../lib/http.js";
import * as times from "../lib/times.js";
import { publishNow } from "../posts/actions.js";
import { actionsOf, explanationOf, stateOf } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";
import { attemptLog } from "./attempts.js";
import { editForm, moveForm, removeForm } from "./post_forms.js";
import { beginning, postText } from "./post_text.js";

/** @import { PostForm } from "./post_forms.js" */
/** @import { Action } from "../posts/post_state.js" */
/** @import { Post } from "../posts/posts.js" */

const VERY_LATE = 60_000;

/**
 * The article of a post. A refresh keeps what the author is doing in it: a form, open attempts, the focus.
 * @typedef {object} Article
 * @property {HTMLElement} element
 * @property {(post: Post) => void} refresh Shows the post as it is now.
 * @property {() => void} tick Shows the passing of time.
 * @property {() => Post|null} keepDeleted Called when the post was deleted: returns the post as it last was while its
 *   author has typed text in a form of it, which must not be lost; otherwise null.
 */

/**
 * @param {Post} first The post as it is at first.
 * @param {() => void} onLeft Called when the post was deleted, and its author has now left the form as well.
 * @returns {Article}
 */
export function postArticle(first, onLeft) {
  let post = first;
  let isDeleted = false;
  /** @type {Post|null} */
  let shown = null;
  /** @type {PostForm|null} */
  let form = null;

  const time = h("time", { class: "at" });
  const chip = h("span", { class: "chip" });
  const note = h("span", { class: "note number" });
  const lateLine = h("span", { class: "lateness number" });
  const account = h("span", { class: "account" });
  const text = postText();
  const why = h("p", { class: "why" });
  const failure = h("p", { class: "notice bad", role: "alert", hidden: true });
  const log = attemptLog();
  const slot = h("div", { class: "slot" });
  /** @type {Record<Action, HTMLButtonElement>} */
  const buttons = {
    edit: button("Edit", () => open(editForm, "edit")),
    move: button("Move", () => open(moveForm, "move")),
    publishNow: button("Publish now", () => publish("publishNow")),
    tryAgain: button("Try again", () => publish("tryAgain")),
    remove: button("Delete", () => open(removeForm, "remove"), "danger"),
  };
  const actions = h("div", { class: "actions" }, ...Object.values(buttons));
  const element = h(
    "article",
    { class: "post", id: `post-${post.id}`, tabindex: -1 },
    h("div", { class: "post-head" }, time, chip, note, lateLine, account),
    h("div", { class: "post-body" }, text.element, why, failure, slot, log.element, actions),
  );

  /** @param {Post} current */
  function refresh(current) {
    if (shown === current) return;
    post = shown = current;
    isDeleted = false;
    element.dataset.state = post.state;
    text.refresh(post.text);
    setText(account, accountOf(post));
    log.refresh(post);
    form?.refresh(post);
    showMessage(failure, "");
    showActions();
    tick();
  }

  function keepDeleted() {
    if (!form?.isTouched()) return null;
    isDeleted = true;
    form.refresh(null);
    return post;
  }

  function tick() {
    const { word, tone } = stateOf(post);
    const timeOfPost = times.timeOfDay(post.schedule_for);
    setText(chip, word);
    chip.className = `chip ${tone}`;
    time.dateTime = post.schedule_for;
    setText(time, timeOfPost);
    setText(note, noteOf(post));
    setText(lateLine, times.latenessInWords(post));
    lateLine.classList.toggle("very", (times.lateness(post) ?? 0) > VERY_LATE);
    showMessage(why, explanationOf(post));
    why.className = `why notice ${tone === "accent" ? "" : tone}`;
    setAttribute(element, "aria-label", `${word}, ${timeOfPost}: ${beginning(post.text)}`);
  }

  function showActions() {
    const focused = document.activeElement;
    const allowed = actionsOf(post);
    for (const name of /** @type {Action[]} */ (Object.keys(buttons))) buttons[name].hidden = !allowed.has(name);
    actions.hidden = form !== null || !allowed.size;
    const isLost = focused instanceof HTMLElement && actions.contains(focused) && (actions.hidden || focused.hidden);
    if (isLost) element.focus({ preventScroll: true });
  }

  /**
   * @param {typeof editForm} makeForm
   * @param {Action} name
   */
  function open(makeForm, name) {
    showMessage(failure, "");
    form = makeForm(post, () => close(name));
    text.element.hidden = name === "edit";
    slot.replaceChildren(form.element);
    showActions();
    form.focus.focus();
  }

  /** @param {Action} name */
  function close(name) {
    form = null;
    text.element.hidden = false;
    const hadFocus = slot.contains(document.activeElement) || document.activeElement === document.body;
    slot.replaceChildren();
    showActions();
    if (hadFocus) (actionsOf(post).has(name) ? buttons[name] : element).focus();
    if (isDeleted) onLeft();
  }

  /**
   * Both actions move the post to this moment: that also opens a closed post again.
   * @param {"publishNow"|"tryAgain"} name
   */
  async function publish(name) {
    if (buttons[name].getAttribute("aria-busy") === "true") return;
    buttons[name].setAttribute("aria-busy", "true");
    showMessage(failure, "");
    try {
      await publishNow(post.id);
    } catch (error) {
      showMessage(failure, messageOf(error));
    } finally {
      buttons[name].removeAttribute("aria-busy");
    }
  }

  refresh(first);
  return { element, refresh, tick, keepDeleted };
}

/**
 * @param {string} name
 * @param {() => void} click
 */
function button(name, click, tone = "") {
  return h("button", { type: "button", class: `button quiet ${tone}`, on: { click } }, name);
}

/**
 * The distance from now; of a published post, when X had it.
 * @param {Post} post
 */
function noteOf(post) {
  const published = times.publishedAt(post);
  if (published) return `at ${times.timeToTheMillisecond(published)}`;
  const isToCome = times.instant(post.schedule_for).getTime() > times.now();
  return isToCome || post.state === "scheduled" ? times.distance(post.schedule_for) : "";
}

/**
 * The account is named if there are several, or if it was removed.
 * @param {Post} post
 */
function accountOf({ account }) {
  if (!account) return "Account removed";
  return posts.accounts.length > 1 ? `@${account.account_name}` : "";
}
