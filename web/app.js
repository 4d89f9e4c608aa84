// The page: who is signed in, and which view is shown.

import { closeComposer, openComposer, whenStored, writeAnew, writeAt, writeOn } from "./composer/composer.js";
import { closeComposerDialog, focusComposer, placeComposer } from "./composer/composer_dialog.js";
import { config } from "./lib/config.js";
import { element, setAttribute, setText, showMessage } from "./lib/dom.js";
import { focusFirstInvalid, showFieldError } from "./lib/field_error.js";
import { messageOf } from "./lib/http.js";
import { laterView, styleSheet } from "./lib/later_view.js";
import { listenToShortcuts } from "./lib/shortcuts.js";
import { timeOfDay } from "./lib/times.js";
import { closeToasts, showToast, undoLatest } from "./lib/toast.js";
import * as actions from "./posts/actions.js";
import { forget, start, stop } from "./posts/live.js";
import { posts } from "./posts/posts.js";
import { waitingActions } from "./posts/undo.js";
import { queue } from "./queue/queue.js";
import "./settings/notifications.js";
import { signedInAuthor, signIn, signInMethod, signOut, whenSignedOutElsewhere } from "./sign_in/sign_in.js";

/** @import { Author } from "./sign_in/sign_in.js" */
/** @import { View } from "./lib/later_view.js" */

const USERNAME = /^[A-Za-z0-9_]{1,15}$/;
const STATUS = { loading: "Loading", live: "Live", offline: "Offline" };

const signInForm = element("sign-in", HTMLFormElement);
const username = element("username", HTMLInputElement);
const links = /** @type {HTMLAnchorElement[]} */ ([...element("views").querySelectorAll("a")]);
const lists = queue(element("queue"), { write: writeOn, reuse: writeAnew });
/** @type {Map<string, View>} */
const views = new Map();
views.set("posts", {});
views.set("calendar", laterView(element("view-calendar"), loadCalendar, placeNewPost));
views.set("settings", laterView(element("view-settings"), loadSettings, placeNewPost));
const tools = config.developerTools;
if (tools) {
  const loadTimeline = async (/** @type {HTMLElement} */ root) => {
    const [{ timeline }] = await Promise.all([
      import("./developer/timeline.js"),
      styleSheet("developer/developer.css"),
    ]);
    return timeline(root, tools);
  };
  const loadTools = async (/** @type {HTMLElement} */ root) => {
    const [{ developerTools }] = await Promise.all([
      import("./developer/developer_tools.js"),
      styleSheet("developer/developer.css"),
    ]);
    return developerTools(root, tools);
  };
  views.set("timeline", laterView(element("view-timeline"), loadTimeline, placeNewPost));
  views.set("developer-tools", laterView(element("view-developer-tools"), loadTools, placeNewPost));
}
/** @type {string|null} The name of the view that is shown. */
let current = null;
/** @type {number|null} The id of the post to show when it is loaded. */
let wanted = null;
/** @type {string|null} Whose posts are loaded: the subject of the token. */
let subject = null;

signInForm.addEventListener("submit", submitSignIn);
element("sign-out").addEventListener("click", leave);
element("new-post").addEventListener("click", () => focusComposer(!hasComposer()));
element("simulated").hidden = !config.simulatedX;
whenStored((message) => {
  if (closeComposerDialog() && message) showToast(message);
});
whenSignedOutElsewhere(() => {
  closeComposer();
  location.reload();
});
listenToShortcuts(
  [
    { keys: "n", name: "New post", act: () => focusComposer(!hasComposer()) },
    { keys: "/", name: "Search", act: () => inPosts(lists.search) },
    { keys: "j", name: "Next post", act: () => inPosts(() => lists.step(1)) },
    { keys: "k", name: "Previous post", act: () => inPosts(() => lists.step(-1)) },
    { keys: "e", name: "Edit the post", act: () => lists.actOnFocused("edit") },
    { keys: "m", name: "Move the post", act: () => lists.actOnFocused("move") },
    { keys: "d", name: "Delete the post", act: () => lists.actOnFocused("remove") },
    { keys: "s", name: "Select many", act: () => inPosts(lists.select) },
    { keys: "z", name: "Undo", act: undoLatest },
    { keys: "q", name: "Queue", act: () => goTo("#posts") },
    { keys: "c", name: "Calendar", act: () => goTo("#calendar") },
  ],
  () => !element("signed-in").hidden,
);
document.addEventListener("click", followSameLink);
element("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the hash names the view
  element("main").focus();
});
window.addEventListener("hashchange", showView);
posts.addEventListener("status", showStatus);
posts.addEventListener("change", () => {
  if (wanted) showPost(wanted);
});
for (const link of links) link.hidden = !views.has(targetOf(link.hash).name);
enter();

/** @param {HTMLElement} root */
async function loadCalendar(root) {
  const [{ calendar }] = await Promise.all([import("./calendar/calendar.js"), styleSheet("calendar/calendar.css")]);
  return calendar(root, posts, { move: actions.move, write: writeInDialog });
}

/** @param {HTMLElement} root */
async function loadSettings(root) {
  const [{ settings }] = await Promise.all([import("./settings/settings.js"), styleSheet("settings/settings.css")]);
  return settings(root);
}

async function enter() {
  try {
    const author = await signedInAuthor();
    if (subject && author.subject !== subject) {
      location.reload(); // nothing of the author before stays in the page
      return;
    }
    if (!subject) receive(author);
  } catch (error) {
    showSignIn(messageOf(error));
    return;
  }
  showFrame("signed-in");
  start(showSignIn);
  showView();
}

/** @param {Author} author */
function receive(author) {
  subject = author.subject;
  setText(element("name"), author.name);
  setAttribute(element("name"), "title", author.subject);
  openComposer(author.subject);
}

/** Signs out. The page is loaded anew, so that nothing of the author stays in it. */
async function leave() {
  await waitingActions.completeAll();
  closeToasts();
  closeComposer();
  forget();
  subject = null;
  hideView();
  showFrame("loading");
  try {
    await signOut();
    location.reload();
  } catch (error) {
    showSignIn(`You are signed out of this page, but maybe not at the provider. ${messageOf(error)}`);
  }
}

/**
 * Shows the sign-in. The page stays as it is behind it, with all that was typed, until somebody else signs in.
 * @param {string} message Why, if the author did not sign out.
 */
function showSignIn(message = "") {
  stop();
  hideView();
  showFrame("sign-in");
  if (!signInMethod) setText(element("sign-in-text"), "Nobody is signed in, and no sign-in is set up here.");
  element("sign-in-button").hidden = !signInMethod;
  element("sign-in-field").hidden = signInMethod !== "name";
  showSignInError(message);
  if (message || document.activeElement === document.body) {
    (signInMethod === "provider" ? element("sign-in-button") : username).focus();
  }
}

/** @param {"loading"|"sign-in"|"signed-in"} id */
function showFrame(id) {
  for (const frame of ["loading", "sign-in", "signed-in"]) element(frame).hidden = frame !== id;
  for (const part of ["who", "views"]) element(part).hidden = id !== "signed-in";
  if (id !== "signed-in") element("new-post").hidden = true;
  if (id !== "signed-in") element("offline").hidden = true;
}

/** @param {SubmitEvent} event */
async function submitSignIn(event) {
  event.preventDefault();
  const isName = signInMethod === "provider" || USERNAME.test(username.value);
  showSignInError(isName ? "" : "A name has 1 to 15 letters, digits and underscores, as on X.");
  if (focusFirstInvalid(signInForm)) return;
  try {
    await signIn(username.value);
  } catch (error) {
    showSignInError(messageOf(error));
    return;
  }
  enter();
}

/** @param {string} message */
function showSignInError(message) {
  showFieldError(username, element("sign-in-error"), message);
}

/**
 * What a hash names: "#posts/12" is post 12 in the view of posts, "#posts/sent" a tab of it.
 * @param {string} hash
 */
function targetOf(hash) {
  const [name, id] = hash.slice(1).split("/");
  return { name: name || "posts", id: Number(id) || null, tab: Number(id) ? "" : (id ?? "") };
}

function showView() {
  if (element("signed-in").hidden) return;
  element("missing").hidden = true;
  wanted = null;
  const { name, id, tab } = targetOf(location.hash);
  const next = views.has(name) ? name : "posts";
  if (next !== current) {
    hideView();
    current = next;
    element(`view-${current}`).hidden = false;
    views.get(current)?.show?.();
  }
  for (const link of links) {
    setAttribute(link, "aria-current", targetOf(link.hash).name === current ? "page" : null);
  }
  placeNewPost();
  if (current === "posts" && !id) lists.showTab(tab);
  if (id) showPost(id);
}

/** The composer has a place in some views; in the others a button opens it. */
function placeNewPost() {
  placeComposer(/** @type {HTMLElement|null} */ (element(`view-${current}`).querySelector(".composer-place")));
  element("new-post").hidden = hasComposer();
}

function hideView() {
  for (const dialog of document.querySelectorAll("dialog")) dialog.close(); // or what comes could not be used
  if (!current) return;
  views.get(current)?.hide?.();
  element(`view-${current}`).hidden = true;
  current = null;
}

/**
 * A link to the present address changes no hash, and must work all the same.
 * @param {MouseEvent} event
 */
function followSameLink({ target }) {
  const link = target instanceof Element ? target.closest("a") : null;
  if (link?.hash && link.hash === location.hash) showView();
}

/**
 * Begins a post at a time that was chosen in another view.
 * @param {Date} time
 */
function writeInDialog(time) {
  writeAt(time);
  focusComposer(true);
}

/** Whether the view that is shown has a place for the composer. */
function hasComposer() {
  return current === "posts" || element(`view-${current}`).querySelector(".composer-place") !== null;
}

/** @param {() => void} act */
function inPosts(act) {
  if (current !== "posts") {
    goTo("#posts");
    showView();
  }
  act();
}

/** @param {string} hash */
function goTo(hash) {
  location.hash = hash;
}

/**
 * Brings a post into view, at once or when it is loaded.
 * @param {number} id
 */
function showPost(id) {
  const isShown = lists.show(id);
  wanted = isShown || posts.answeredAt ? null : id;
  element("missing").hidden = isShown || wanted !== null;
}

function showStatus() {
  setText(element("liveness"), STATUS[posts.state]);
  element("liveness").dataset.state = posts.state;
  const age = posts.answeredAt ? ` This page shows the posts as of ${timeOfDay(posts.answeredAt)}.` : "";
  showMessage(element("offline"), posts.state === "offline" ? `${posts.reason}${age} It tries again.` : "");
  if (wanted) showPost(wanted);
}
