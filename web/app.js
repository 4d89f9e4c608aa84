// The page: who is in front of it, and which view they look at.

import { SignedOut, signIn, signOut, subject, wayIn } from "./access_token.js";
import * as actions from "./actions.js";
import { calendar } from "./calendar.js";
import { openComposer } from "./composer.js";
import { config } from "./config.js";
import { setAttribute, setText } from "./dom.js";
import { focusFirstFault, showFault } from "./faults.js";
import { forget, start, stop } from "./live.js";
import { machineRoom } from "./machine_room.js";
import { postList } from "./post_list.js";
import { posts } from "./posts.js";
import { timeline } from "./timeline.js";
import { timeOfDay } from "./times.js";

const element = (id) => document.getElementById(id);
const USERNAME = /^[A-Za-z0-9_]{1,15}$/;
const LIVENESS = { loading: "Loading", live: "Live", away: "Away" };

const lists = postList(element("view-posts"));
const views = new Map([
  ["posts", {}],
  ["calendar", calendar(element("view-calendar"), posts, actions) ?? {}],
]);
if (config.machineRoom) {
  views.set("timeline", timeline(element("view-timeline"), config));
  views.set("machine-room", machineRoom(element("view-machine-room"), config));
}
let current = null; // the name of the view that is shown
let wanted = null; // the id of the post that is to be shown when it has come
let author = null; // whose posts are here, by what their token calls them

element("sign-in").addEventListener("submit", comeIn);
element("sign-out").addEventListener("click", () => {
  signOut();
  forget();
  author = null;
  leave();
});
document.addEventListener("click", followAgain);
element("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the hash names the view
  element("main").focus();
});
window.addEventListener("hashchange", showView);
posts.addEventListener("status", showStatus);
posts.addEventListener("change", () => {
  setText(element("name"), posts.author?.username ?? "");
  if (wanted) showPost(wanted);
});
for (const link of element("views").querySelectorAll("a")) {
  link.hidden = !views.has(viewOf(link.hash).name);
}
enter();

async function enter() {
  const name = await subject().catch((error) => leave(error instanceof SignedOut ? "" : error.message));
  if (!name) return;
  if (name !== author) receive(name);
  show(true);
  start(leave);
  showView();
}

/** Nothing of whoever was here before stays. */
function receive(name) {
  forget();
  author = name;
  setText(element("name"), name);
  openComposer(name);
}

/**
 * Asks who is there. The page stays as it is behind that, with all that is typed in it, until somebody else comes.
 * @param {string} words Why, if the author did not ask for it.
 */
function leave(words = "") {
  stop();
  hideView();
  show(false);
  if (!wayIn) setText(element("sign-in-words"), "Nobody is signed in, and no sign-in is set up here.");
  element("sign-in-button").hidden = !wayIn;
  element("sign-in-field").hidden = wayIn !== "name";
  showFault(element("username"), element("sign-in-fault"), words);
  if (words || document.activeElement === document.body) element("username").focus();
}

function show(isSignedIn) {
  element("loading").hidden = true;
  for (const id of ["signed-in", "who", "views"]) element(id).hidden = !isSignedIn;
  element("sign-in").hidden = isSignedIn;
  if (!isSignedIn) element("away").hidden = true;
}

async function comeIn(event) {
  event.preventDefault();
  const field = element("username");
  const fault = (words) => showFault(field, element("sign-in-fault"), words);
  const isName = wayIn !== "name" || USERNAME.test(field.value);
  fault(isName ? null : "A name has 1 to 15 letters, digits and underscores, as on X.");
  if (focusFirstFault(event.target)) return;
  try {
    await signIn(field.value);
  } catch (error) {
    fault(error.message);
    return;
  }
  enter();
}

/** What a hash names: "#posts/12" is post 12 in the view of posts. */
function viewOf(hash) {
  const [name, id] = hash.slice(1).split("/");
  return { name: name || "posts", id: Number(id) || null };
}

function showView() {
  if (element("signed-in").hidden) return;
  element("missing").hidden = true;
  const { name, id } = viewOf(location.hash);
  const next = views.has(name) ? name : "posts";
  if (next !== current) {
    hideView();
    current = next;
    element(`view-${current}`).hidden = false;
    views.get(current).show?.();
  }
  for (const link of element("views").querySelectorAll("a")) {
    setAttribute(link, "aria-current", viewOf(link.hash).name === current ? "page" : null);
  }
  document.body.dataset.view = current;
  if (id) showPost(id);
}

function hideView() {
  if (!current) return;
  views.get(current).hide?.();
  element(`view-${current}`).hidden = true;
  current = null;
}

/** A link to where one is already changes no hash, and is followed all the same. */
function followAgain({ target }) {
  const link = target.closest("a");
  if (link?.hash && link.hash === location.hash) showView();
}

/** Brings a post into view, if need be when it has come. */
function showPost(id) {
  const isShown = lists.show(id);
  wanted = isShown || posts.heardAt ? null : id;
  element("missing").hidden = isShown || wanted !== null;
}

function showStatus() {
  setText(element("liveness"), LIVENESS[posts.state]);
  element("liveness").dataset.state = posts.state;
  const isAway = posts.state === "away";
  element("away").hidden = !isAway;
  const since = posts.heardAt ? ` What you see is as of ${timeOfDay(posts.heardAt)}.` : "";
  setText(element("away"), isAway ? `${posts.trouble}${since} It is asked again and again.` : "");
  if (wanted) showPost(wanted);
}
