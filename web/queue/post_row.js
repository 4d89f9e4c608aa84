// One post as a row: its time, its text in one line, its state, and what its author can do. Opened, it shows the rest.

import { config } from "../lib/config.js";
import { copyText } from "../lib/copy_text.js";
import { h, setAttribute, setText, showMessage } from "../lib/dom.js";
import { messageOf, Unreachable } from "../lib/http.js";
import { toggleMenu } from "../lib/menu.js";
import * as times from "../lib/times.js";
import { makeDraft, publishNow } from "../posts/actions.js";
import { beginning } from "../posts/beginning.js";
import { removeLater } from "../posts/deletion.js";
import { actionsOf, explanationOf, isHeld, pauseOf, stateOf } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";
import { waitingActions } from "../posts/undo.js";
import { attemptLog } from "./attempts.js";
import { editForm, moveForm } from "./post_forms.js";

/** @import { Choice } from "../lib/menu.js" */
/** @import { Action } from "../posts/post_state.js" */
/** @import { Post } from "../posts/posts.js" */
/** @import { PostForm } from "./post_forms.js" */

const ON_TIME = 5_000;
const VERY_LATE = 60_000;
const NAMES = /** @type {const} */ ({
  edit: "Edit",
  move: "Move",
  publishNow: "Publish now",
  tryAgain: "Try again",
  remove: "Delete",
  makeDraft: "Make it a draft",
});

/**
 * The row of a post. A refresh keeps what the author is doing in it: a form, open details, the focus.
 * @typedef {object} Row
 * @property {HTMLElement} element
 * @property {(post: Post) => void} refresh Shows the post as it is now.
 * @property {() => void} tick Shows the passing of time.
 * @property {() => void} open Shows the details.
 * @property {(name: Action) => boolean} act Begins an action, if it is allowed now.
 * @property {(error: unknown) => void} showFailure
 * @property {(isSelecting: boolean, isSelected: boolean) => void} showSelection
 * @property {() => Post|null} keepDeleted Called when the post was deleted: returns the post as it last was while its
 *   author has typed text in a form of it, which must not be lost; otherwise null.
 */

/**
 * @param {Post} first The post as it is at first.
 * @param {object} list
 * @param {() => void} list.onLeft Called when the post was deleted, and its author has now left the form as well.
 * @param {(post: Post) => void} list.write Brings a draft into the composer.
 * @param {(text: string) => void} list.reuse Begins a new post with this text.
 * @param {(id: number, isSelected: boolean) => void} list.onSelect
 * @returns {Row}
 */
export function postRow(first, { onLeft, write, reuse, onSelect }) {
  let post = first;
  let isDeleted = false;
  let isOpen = false;
  /** @type {Post|null} */
  let shown = null;
  /** @type {PostForm|null} */
  let form = null;
  /** @type {Date|null} When a failure that may be over was shown. */
  let failedAt = null;

  const select = h("input", { type: "checkbox", on: { input: () => onSelect(post.id, select.checked) } });
  const selectLabel = h(
    "label",
    { class: "select-post", hidden: true },
    select,
    h("span", { class: "unseen" }, "Select"),
  );
  const time = h("time", { class: "at" });
  const chip = h("span", { class: "chip" });
  const note = h("span", { class: "note number" });
  const account = h("span", { class: "account" });
  const text = h("p", { class: "post-text", dir: "auto" });
  const why = h("p", { class: "why" });
  const failure = h("p", { class: "notice bad", role: "alert", hidden: true });
  const facts = h("p", { class: "facts number" });
  const log = attemptLog();
  const slot = h("div", { class: "slot" });
  /** @type {Record<"edit"|"move"|"publishNow"|"tryAgain"|"remove", HTMLButtonElement>} */
  const buttons = {
    edit: actionButton("edit"),
    move: actionButton("move"),
    publishNow: actionButton("publishNow"),
    tryAgain: actionButton("tryAgain"),
    remove: actionButton("remove"),
  };
  const actions = h("div", { class: "actions" }, ...Object.values(buttons));
  const menuButton = h(
    "button",
    { type: "button", class: "button icon", "aria-label": "More", "aria-haspopup": "menu", on: { click: openMenu } },
    "⋯",
  );
  const details = h("button", {
    type: "button",
    class: "button icon details",
    "aria-label": "Details",
    "aria-expanded": "false",
    on: { click: () => setOpen(!isOpen) },
  });
  const body = h("div", { class: "post-body", hidden: true }, facts, log.element);
  const line = h(
    "div",
    { class: "post-line", on: { click: takeClick } },
    details,
    selectLabel,
    time,
    text,
    h("span", { class: "post-state" }, account, note, chip),
    actions,
    menuButton,
  );
  const element = h("article", { class: "post", id: `post-${post.id}`, tabindex: -1 }, line, why, failure, slot, body);

  /** @param {Post} current */
  function refresh(current) {
    if (shown !== current) {
      const wentOut = shown !== null && shown.state !== "tweeted" && current.state === "tweeted";
      post = shown = current;
      isDeleted = false;
      element.dataset.state = post.state;
      if (wentOut) element.classList.add("went-out");
      setText(text, post.text || "No text yet");
      text.classList.toggle("soft", !post.text);
      setText(facts, factsOf(post));
      log.refresh(post);
      form?.refresh(post);
      hideFailure();
    }
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
    if (failedAt && posts.answeredAt && posts.answeredAt > failedAt) hideFailure();
    form?.tick();
    const { word, tone } = waitingState() ?? stateOf(post);
    const timeOfPost = timeOf(post);
    setText(chip, word);
    chip.className = `chip ${tone}`;
    time.dateTime = post.schedule_for;
    setText(time, timeOfPost);
    setText(note, noteOf(post));
    note.classList.toggle("very", (times.lateness(post) ?? 0) > VERY_LATE);
    setText(account, accountOf(post));
    showMessage(why, explanationOf(post));
    why.className = `why notice ${tone === "accent" ? "" : tone}`;
    why.classList.toggle("in-details", isHeld(post)); // the banner says it already
    if (isOpen) setText(facts, factsOf(post));
    setAttribute(element, "aria-label", `${word}, ${timeOfPost}: ${beginning(post.text)}`);
  }

  function waitingState() {
    const kind = waitingActions.kindOf(post.id);
    element.classList.toggle("leaving", kind === "remove");
    if (kind === "remove") return { word: "Deleting", tone: "wait" };
    return kind === "publish" ? { word: "Publishing", tone: "accent" } : null;
  }

  /** What can be begun now: nothing beside an open form, or what waits. */
  function allowed() {
    return form || waitingActions.kindOf(post.id) ? new Set() : actionsOf(post);
  }

  function showActions() {
    const focused = document.activeElement;
    const now = allowed();
    for (const [name, button] of Object.entries(buttons)) button.hidden = !now.has(/** @type {Action} */ (name));
    actions.hidden = !now.size;
    const isLost = focused instanceof HTMLElement && actions.contains(focused) && (actions.hidden || focused.hidden);
    if (isLost) element.focus({ preventScroll: true });
  }

  /** @param {boolean} value */
  function setOpen(value) {
    isOpen = value;
    body.hidden = !isOpen;
    element.toggleAttribute("data-open", isOpen);
    setAttribute(details, "aria-expanded", isOpen);
    if (isOpen) setText(facts, factsOf(post));
  }

  /**
   * A click beside the controls opens the row, unless the author selects text or clicks twice.
   * @param {MouseEvent} event
   */
  function takeClick({ target, detail }) {
    const isControl = target instanceof Element && target.closest("button, a, label, input");
    if (isControl || detail > 1 || String(getSelection())) return;
    if (!selectLabel.hidden) select.click();
    else setOpen(!isOpen);
  }

  /** @param {Action} name */
  function act(name) {
    if (!allowed().has(name)) return false;
    showMessage(failure, "");
    if (name === "edit") edit();
    else if (name === "move") openForm(moveForm(post, () => close("move")));
    else if (name === "remove") removeLater([post], deletedInWords);
    else if (name === "makeDraft") change(() => makeDraft(post.id));
    else publishLater(name);
    return true;
  }

  function edit() {
    if (post.state === "draft") {
      write(post);
      return;
    }
    text.hidden = true;
    openForm(editForm(post, () => close("edit")));
  }

  /** @param {PostForm} made */
  function openForm(made) {
    form = made;
    slot.replaceChildren(made.element);
    showActions();
    made.focus.focus();
  }

  /** @param {"edit"|"move"} name */
  function close(name) {
    form = null;
    text.hidden = false;
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
  function publishLater(name) {
    const pause = pauseOf({ ...post, schedule_for: "" });
    waitingActions.start({
      ids: [post.id],
      kind: "publish",
      message: pause
        ? `Moved to now; but ${pause.who} paused.`
        : `${name === "publishNow" ? "Publishing" : "Trying again"}: “${beginning(post.text)}”`,
      act: () => publishNow(post.id),
    });
  }

  /** @param {() => Promise<unknown>} request */
  async function change(request) {
    element.setAttribute("aria-busy", "true");
    try {
      await request();
    } catch (error) {
      showFailure(error);
    } finally {
      element.removeAttribute("aria-busy");
    }
  }

  /** @param {unknown} error */
  function showFailure(error) {
    failedAt = error instanceof Unreachable ? new Date(times.now()) : null;
    showMessage(failure, messageOf(error));
  }

  function hideFailure() {
    failedAt = null;
    showMessage(failure, "");
  }

  function openMenu() {
    const now = allowed();
    const names = /** @type {Action[]} */ (Object.keys(NAMES)).filter((name) => name !== "remove" && now.has(name));
    /** @type {Choice[]} */
    const choices = names.map((name) => ({ name: NAMES[name], act: () => act(name) }));
    if (post.tweet_id) choices.push(viewOnX(post.tweet_id));
    if (post.text) {
      choices.push(
        { name: "Copy text", act: () => copyText(post.text) },
        { name: "Reuse as a new post", act: () => reuse(post.text) },
      );
    }
    if (now.has("remove")) choices.push({ name: NAMES.remove, act: () => act("remove"), tone: "danger" });
    toggleMenu(menuButton, choices);
  }

  /**
   * @param {boolean} isSelecting
   * @param {boolean} isSelected
   */
  function showSelection(isSelecting, isSelected) {
    selectLabel.hidden = !isSelecting;
    select.checked = isSelected;
    element.toggleAttribute("data-selected", isSelecting && isSelected);
  }

  /** @param {keyof typeof NAMES} name */
  function actionButton(name) {
    const tone = name === "remove" ? "danger" : "";
    return h("button", { type: "button", class: `button quiet ${tone}`, on: { click: () => act(name) } }, NAMES[name]);
  }

  refresh(first);
  return { element, refresh, tick, keepDeleted, open: () => setOpen(true), act, showFailure, showSelection };
}

/**
 * The local X has no pages; there its timeline shows the post.
 * @param {string} tweetId
 */
function viewOnX(tweetId) {
  if (config.developerTools) return { name: "View in the timeline", href: "#timeline" };
  return { name: "View on X", href: `https://x.com/i/web/status/${encodeURIComponent(tweetId)}` };
}

/** @param {Post[]} those One post. */
function deletedInWords([{ text, state }]) {
  const mayBeOut = state === "unknown" ? " If it is on X already, it stays there." : "";
  return `Deleted “${beginning(text)}”.${mayBeOut}`;
}

/** @param {Post} post */
function timeOf(post) {
  return post.schedule_for ? times.timeToTheMinute(post.schedule_for) : "No time";
}

/**
 * The distance from now; of a published post, how late it was; of a draft, when it was written.
 * @param {Post} post
 */
function noteOf(post) {
  const late = times.lateness(post);
  if (late !== null) return late < ON_TIME ? "On time ✓" : times.latenessInWords(post);
  if (post.state === "draft") return `Saved ${times.distance(post.updated_at)}`;
  const isToCome = times.instant(post.schedule_for).getTime() > times.now();
  return isToCome || post.state === "scheduled" ? times.distance(post.schedule_for) : "";
}

/**
 * To the second and millisecond, what the line says in words.
 * @param {Post} post
 */
function factsOf(post) {
  const published = times.publishedAt(post);
  return [
    post.schedule_for && `${times.dayAndTime(post.schedule_for)} (${times.inUtc(post.schedule_for)})`,
    published && `on X at ${times.timeToTheMillisecond(published)}, ${times.latenessInWords(post)}`,
    post.when_late === "publish" && "is published even if late",
    `post ${post.id}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

/**
 * The account is named if there are several, or if it was removed.
 * @param {Post} post
 */
function accountOf({ account, state }) {
  if (!account) return state === "draft" ? "" : "Account removed";
  return posts.accounts.length > 1 ? `@${account.account_name}` : "";
}
