// One post: when, what, how it stands, what became of it, and what may be done about it.

import { publishNow } from "./actions.js";
import { attemptLog } from "./attempts.js";
import { h, setAttribute, setText } from "./dom.js";
import { editForm, moveForm, removeForm } from "./post_forms.js";
import { actionsOf, explanationOf, stateOf } from "./post_state.js";
import { beginning, postText } from "./post_text.js";
import { posts } from "./posts.js";
import { distance, inSeconds, instant, lateness, now, publishedAt, timeOfDay, timeToTheMillisecond } from "./times.js";

const VERY_LATE = 60_000;

/**
 * The article of a post.
 * @param {object} first The post, as it is at first.
 * @param {() => void} onLeft Called when the post is gone, and now its author has left the form as well.
 * @returns {{element: HTMLElement, refresh: (post) => void, tick: () => void, outlive: () => object|null}} `refresh`
 *   shows the post as it is now; `tick` lets the time pass. What the author is doing in it (a form, unfolded attempts,
 *   the focus) stays. `outlive` says that the post is gone: it returns the post as it last was while somebody's words
 *   are in a form of it, which are not to go with it.
 */
export function postArticle(first, onLeft) {
  let post = first;
  let isGone = false;
  let shown = null;
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
  const buttons = {
    edit: button("Edit", () => open(editForm, "edit")),
    move: button("Move", () => open(moveForm, "move")),
    publishNow: button("Publish now", () => start("publishNow")),
    tryAgain: button("Try again", () => start("tryAgain")),
    remove: button("Delete", () => open(removeForm, "remove"), "danger"),
  };
  const actions = h("div", { class: "actions" }, ...Object.values(buttons));
  const element = h(
    "article",
    { class: "post", id: `post-${post.id}`, tabindex: -1 },
    h("div", { class: "post-head" }, time, chip, note, lateLine, account),
    h("div", { class: "post-body" }, text.element, why, failure, slot, log.element, actions),
  );

  function refresh(news) {
    if (shown === news) return;
    post = shown = news;
    isGone = false;
    element.dataset.state = post.state;
    text.refresh(post.text);
    setText(account, accountOf(post));
    log.refresh(post);
    form?.refresh(post);
    say("");
    showActions();
    tick();
  }

  function outlive() {
    if (!form?.isTouched()) return null;
    isGone = true;
    form.refresh(null);
    return post;
  }

  function tick() {
    const { word, tone } = stateOf(post);
    setText(chip, word);
    chip.className = `chip ${tone}`;
    time.dateTime = post.schedule_for;
    setText(time, timeOfDay(post.schedule_for));
    setText(note, noteOf(post));
    setText(lateLine, latenessOf(post));
    lateLine.classList.toggle("very", lateness(post) > VERY_LATE);
    const explanation = explanationOf(post);
    setText(why, explanation);
    why.hidden = !explanation;
    why.className = `why notice ${tone === "accent" ? "" : tone}`;
    setAttribute(element, "aria-label", `${word}, ${timeOfDay(post.schedule_for)}: ${beginning(post.text)}`);
  }

  function showActions() {
    const hadFocus = actions.contains(document.activeElement);
    const allowed = actionsOf(post);
    for (const [name, one] of Object.entries(buttons)) one.hidden = !allowed.has(name);
    actions.hidden = form !== null || !allowed.size;
    if (hadFocus && (actions.hidden || document.activeElement.hidden)) element.focus({ preventScroll: true });
  }

  function open(makeForm, name) {
    say("");
    form = makeForm(post, () => close(name));
    text.element.hidden = name === "edit";
    slot.replaceChildren(form.element);
    showActions();
    form.focus.focus();
  }

  function close(name) {
    form = null;
    text.element.hidden = false;
    const hadFocus = slot.contains(document.activeElement) || document.activeElement === document.body;
    slot.replaceChildren();
    showActions();
    if (hadFocus) (actionsOf(post).has(name) ? buttons[name] : element).focus();
    if (isGone) onLeft();
  }

  /** Both are moves to this moment: that is also what opens a closed post again. */
  async function start(name) {
    if (buttons[name].getAttribute("aria-busy") === "true") return;
    buttons[name].setAttribute("aria-busy", "true");
    say("");
    try {
      await publishNow(post.id);
    } catch (error) {
      say(error.message);
    } finally {
      buttons[name].removeAttribute("aria-busy");
    }
  }

  function say(words) {
    setText(failure, words);
    failure.hidden = !words;
  }

  refresh(first);
  return { element, refresh, tick, outlive };
}

function button(name, click, tone = "") {
  return h("button", { type: "button", class: `button quiet ${tone}`, on: { click } }, name);
}

/** How far off it is; of a published post, when X had it. */
function noteOf(post) {
  const published = publishedAt(post);
  if (published) return `at ${timeToTheMillisecond(published)}`;
  return instant(post.schedule_for) > now() || post.state === "scheduled" ? distance(post.schedule_for) : "";
}

function latenessOf(post) {
  const late = lateness(post);
  if (late === null) return "";
  return `${inSeconds(Math.abs(late))} ${late < 0 ? "early" : "late"}`;
}

/** Named where there is a choice, or none any more. */
function accountOf({ account }) {
  if (!account) return "Account removed";
  return posts.accounts.length > 1 ? `@${account.account_name}` : "";
}
