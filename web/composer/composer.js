// Writing a post and choosing its time.

import { offerToCopy } from "../lib/copy_text.js";
import { element, h, keyed, setAttribute, setText, showMessage } from "../lib/dom.js";
import { focusFirstInvalid, showFieldError } from "../lib/field_error.js";
import { messageOf, Problem } from "../lib/http.js";
import { toggleMenu } from "../lib/menu.js";
import { dayAndTime, now } from "../lib/times.js";
import { showToast } from "../lib/toast.js";
import { addDraft, changeDraft, createPost, makeDraft, remove, scheduleDraft } from "../posts/actions.js";
import { NotDone, Refusal } from "../posts/hasura.js";
import { pauseOf, untilWhen } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";
import { GRACE } from "../posts/undo.js";
import { SignedOut } from "../sign_in/signed_out.js";
import { textError } from "../text/text_length.js";
import { forgetDraft, keepDraft, keptDraft, newDraft, newKey } from "./draft.js";
import { warnOfDuplicates } from "./duplicates.js";
import { lengthGauge } from "./text_field.js";
import { textPreview } from "./text_preview.js";
import { proposedTime, whenField } from "./when_field.js";

/** @import { FieldProblem } from "../lib/http.js" */
/** @import { Post } from "../posts/posts.js" */
/** @import { Draft } from "./draft.js" */

const form = element("composer", HTMLFormElement);
const text = element("text", HTMLTextAreaElement);
const whenInput = element("when", HTMLInputElement);
const account = element("account", HTMLSelectElement);
const whenLate = element("when-late", HTMLInputElement);

/**
 * The fields, by their names in the API, with the element of the error of each.
 * @type {Record<string, [HTMLElement, HTMLElement]>}
 */
const fields = {
  text: [text, element("text-error")],
  schedule_for: [whenInput, element("when-error")],
  account_id: [account, element("account-error")],
  when_late: [whenLate, element("when-late-error")],
};
const NO_ACCOUNT =
  "No X account is linked to you yet, so nothing can be scheduled. If the sign-in page offers X, sign out and sign in " +
  "with X. Otherwise, ask the operator to link your account (“make link-account”).";
const FORBIDDEN = "You may not post from this account, or no longer.";
const AMONG_DRAFTS = "It is not sent. It is among your drafts.";
const TICK = 1_000;
const SLOW = 500; // a quick answer needs no word about the way there

let author = "";
let draft = newDraft();
let isSending = false;
let slowness = 0;
/** @type {(message: string) => void} */
let onStored = () => {};

const gauge = lengthGauge(text, "text-length");
const preview = textPreview(text);
const when = whenField(whenInput, element("when-words"), element("when-zone"), element("quick-picks"));

text.before(preview.element);
element("length").append(gauge.element);
form.addEventListener("input", takeInput);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  send(schedule);
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
element("more-ways").addEventListener("click", () => {
  toggleMenu(element("more-ways"), [
    { name: "Post now", act: () => send(postNow) },
    { name: "Save as draft", act: saveDraft },
  ]);
});
whenInput.addEventListener("focus", () => form.toggleAttribute("data-exact", true));
posts.addEventListener("change", takePosts);
setInterval(tick, TICK);

/**
 * Shows the kept draft of an author.
 * @param {string} subject Of the author's token.
 */
export function openComposer(subject) {
  author = subject;
  draft = keptDraft(author);
  showResult("");
  showDraft();
}

/** Forgets the author, who signs out, and the draft. */
export function closeComposer() {
  forgetDraft(author);
  author = "";
  draft = newDraft();
  showResult("");
  showDraft();
}

/**
 * Calls `listener` when a draft was scheduled or saved, and the next one has begun.
 * @param {(message: string) => void} listener Gets what the composer says of it.
 */
export function whenStored(listener) {
  onStored = listener;
}

/**
 * Goes on with a draft that is kept in the database.
 * @param {Post} post
 */
export async function writeOn(post) {
  if (post.id === draft.post_id && isBegun()) {
    text.focus(); // here it may be newer than the list
    return;
  }
  if (!(await putAside())) return;
  const { id, text: written, schedule_for, account_id, when_late } = posts.get(post.id) ?? post;
  begin({ text: written, when: schedule_for || null, account_id, when_late, post_id: id });
}

/**
 * Begins a new post with a text.
 * @param {string} written
 * @param {Date} [time]
 */
export async function writeAnew(written, time) {
  if (!(await putAside())) return;
  begin({ text: written, when: time?.toISOString() ?? null });
}

/**
 * Begins a new post, or goes on with the one that is there, at a time.
 * @param {Date} time
 */
export function writeAt(time) {
  draft.when = time.toISOString();
  keep();
  showDraft();
}

/** @param {Partial<Draft>} content */
function begin(content) {
  draft = { ...newDraft(), ...content };
  keep();
  showResult("");
  showDraft();
  text.focus();
}

/** Saves what is in the composer, if there is something to save. Returns whether the composer is free now. */
async function putAside() {
  if (!isBegun()) return true;
  const own = draft;
  const isSaved = await store();
  if (isSaved) showToast("What you were writing is saved as a draft.");
  return isSaved && draft === own;
}

function isBegun() {
  return Boolean(draft.text.trim());
}

function keep() {
  if (author) keepDraft(author, draft); // not what is answered after the author has left
}

function showDraft() {
  text.value = draft.text;
  if (draft.when === "") whenInput.value = "";
  else when.set(draft.when === null ? proposedTime() : new Date(draft.when));
  whenLate.checked = draft.when_late === "publish";
  showAccounts();
  gauge.refresh();
  preview.refresh();
  when.refresh();
  for (const name of Object.keys(fields)) showError(name, null);
  form.removeAttribute("data-exact"); // not when the field loses the focus: nothing may move under a pointer
  showWarnings();
}

/** @param {Event} event */
function takeInput({ target }) {
  draft.text = text.value;
  if (target === whenInput) draft.when = when.date()?.toISOString() ?? "";
  if (target === account) draft.account_id = Number(account.value) || null;
  draft.when_late = whenLate.checked ? "publish" : "skip";
  keep();
  for (const [name, [field]] of Object.entries(fields)) if (target === field) showError(name, null);
  showResult("");
  showAuthor();
  showWarnings();
}

/**
 * @param {(sent: Draft) => Promise<void>} request
 */
async function send(request) {
  if (isSending || !author || hasNoAccount()) return;
  setSending(true);
  await posts.loaded(); // the accounts and the proposed time, of which a quick author knows nothing yet
  setSending(false);
  if (!author || hasNoAccount()) return;
  const errors = { ...ownErrors(), ...(request === postNow && { schedule_for: null }) };
  for (const [name, message] of Object.entries(errors)) showError(name, message);
  if (focusFirstInvalid(form)) return;
  setSending(true);
  try {
    await request(draft);
  } catch (error) {
    showFailure(error);
  } finally {
    setSending(false);
    takePosts(); // the post may have come into the list while it was being sent
  }
}

/** @param {Draft} sent */
async function schedule(sent) {
  const chosen = when.date();
  if (!chosen) return;
  if (!sent.isSent) sent.when = new Date(Math.max(chosen.getTime(), now())).toISOString(); // this minute means now
  await sendAt(new Date(sent.when ?? chosen));
}

/** Schedules it some seconds from now, and offers to undo that. */
async function postNow() {
  const sent = { ...draft };
  const id = await sendAt(new Date(now() + GRACE));
  showToast("It goes out now.", { milliseconds: GRACE, action: { name: "Undo", act: () => takeBack(id, sent) } });
}

/**
 * @param {Date} time
 * @returns {Promise<number>} The id of the post.
 */
async function sendAt(time) {
  const { when: chosen, isSent } = draft;
  draft.when = time.toISOString(); // after it was sent it stays: the same key means the same draft
  draft.isSent = true;
  keep();
  const sent = { ...draft };
  try {
    const row = sent.post_id === null ? await create(sent, time) : await scheduleDraft(sent.post_id, contentOf(sent));
    finish(sent, row, "Scheduled for");
    return row.id;
  } catch (error) {
    if (draft.key === sent.key && draft.when === sent.when) {
      if (isRefusal(error)) Object.assign(draft, { when: chosen, isSent });
      else when.set(time); // it may be scheduled for then
      keep();
    }
    throw error;
  }
}

/**
 * Whether nothing was done.
 * @param {unknown} error
 */
function isRefusal(error) {
  if (error instanceof Problem) return error.status < 500;
  return [Refusal, NotDone, SignedOut].some((kind) => error instanceof kind);
}

/**
 * @param {Draft} sent
 * @param {Date} schedule_for
 */
async function create({ text, when_late, account_id, key }, schedule_for) {
  const body = { text, schedule_for, when_late, ...(account_id && { account_id }) };
  return (await createPost(body, key)).insert_scheduled_post_one;
}

/**
 * @param {number} id
 * @param {Draft} sent
 */
async function takeBack(id, sent) {
  try {
    const isKept = (sent.post_id !== null || isBegun()) && (await becomesDraft(id));
    if (!isKept) await remove([id]);
    if (!isBegun()) {
      begin({ ...sent, ...newKey(), post_id: isKept ? id : null });
      showToast("It is not sent. Its text is in the composer.");
      return;
    }
    showResult("");
    if (isKept) showToast(AMONG_DRAFTS);
    else await addToDrafts(sent);
  } catch (error) {
    showToast(messageOf(error), { tone: "bad" });
  }
}

/**
 * Whether it is a draft now. If not, no further one may be kept.
 * @param {number} id
 */
async function becomesDraft(id) {
  try {
    await makeDraft(id);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** @param {Draft} removed Its post was deleted, and the composer is taken. */
async function addToDrafts(removed) {
  try {
    await addDraft(contentOf(removed));
    showToast(AMONG_DRAFTS);
  } catch (error) {
    offerToCopy(`It is not sent, and not among your drafts: ${messageOf(error)}`, removed.text);
  }
}

async function saveDraft() {
  if (!isBegun()) {
    showError("text", "Write something: the text is empty.");
    focusFirstInvalid(form);
    return;
  }
  const own = draft;
  if (!(await store())) return;
  showToast("Saved as a draft.", { tone: "good" });
  if (draft !== own) return; // its author went on with another one meanwhile
  begin({});
  onStored("");
}

/**
 * Keeps the draft in the database, with what is written meanwhile. Returns whether it worked; if not, the reason is
 * shown.
 */
async function store() {
  if (isSending || !author) return false;
  const own = draft; // another one may be begun while this one is saved
  setSending(true);
  await posts.loaded();
  try {
    let id = own.post_id; // takePosts takes one that no answer has shown yet for deleted
    let saved;
    do {
      saved = contentOf(own);
      if (id === null) id = await addDraft(saved);
      else await changeDraft(id, saved);
      own.post_id = id;
      keep();
    } while (draft === own && isBegun() && JSON.stringify(contentOf(own)) !== JSON.stringify(saved));
    return true;
  } catch (error) {
    showResult(messageOf(error));
    return false;
  } finally {
    setSending(false);
  }
}

/** @param {Draft} draft */
function contentOf({ text, when, account_id, when_late }) {
  return { text, schedule_for: when || null, account_id, when_late };
}

function ownErrors() {
  const isChoice = posts.accounts.length > 1;
  return {
    text: textError(text.value),
    schedule_for: when.error(),
    account_id: isChoice && !account.value ? "Choose the account that posts." : null,
  };
}

/**
 * The draft that was sent is stored as `row`: the next draft begins, with the text that was typed since.
 * @param {{text: string}} sent
 * @param {{schedule_for: string}} row
 * @param {string} message
 */
function finish(sent, row, message) {
  const hasNewText = draft.text !== sent.text;
  const account_id = draft.account_id;
  const pause = pauseOf({ account: postingAccount(), app: posts.app, schedule_for: row.schedule_for });
  draft = { ...newDraft(), account_id, ...(hasNewText && { text: draft.text, when: draft.when }) };
  keep();
  const success = `${message} ${dayAndTime(row.schedule_for)}.`;
  const but = pause && `${pause.who} paused${untilWhen(pause.until)}.`;
  showResult("", success, but);
  showDraft();
  onStored([success, but].filter(Boolean).join(" "));
}

/** @param {unknown} error */
function showFailure(error) {
  if (error instanceof Refusal || error instanceof NotDone) {
    showResult(error.message);
    return;
  }
  if (!(error instanceof Problem) || error.status >= 500) {
    showResult(`${messageOf(error)} Your draft is kept. Schedule it again: it will not become two posts.`);
    return;
  }
  if (error.type.endsWith("/key-reused")) {
    Object.assign(draft, newKey());
    keep();
    showResult("An earlier version of this draft was scheduled already. Schedule again if you want this one as well.");
    return;
  }
  for (const { field, detail } of error.errors.filter(hasField)) showError(field, detail);
  const others = error.errors.filter((problem) => !hasField(problem)).map(({ detail }) => detail);
  const message = error.errors.length ? others.join(" ") : error.message;
  showResult(error.type.endsWith("/forbidden") ? FORBIDDEN : message);
  focusFirstInvalid(form);
}

/**
 * Whether the problem's field is shown.
 * @param {FieldProblem} problem
 */
function hasField({ field }) {
  return Object.hasOwn(fields, field) && !fields[field][0].closest("[hidden]");
}

function takePosts() {
  if (isDeleted()) Object.assign(draft, newKey(), { post_id: null });
  propose();
  showAccounts();
  const stored = isSending ? undefined : storedDraft();
  if (!stored) showWarnings();
  else if (draft.isSent) finish(stored, stored, "The answer was lost, but it is scheduled for");
  else if (draft.text === stored.text) finish(stored, stored, "Scheduled in another window for");
  else goOn(stored);
}

/** Whether the draft was kept in the database and is there no longer: here it is a new one. */
function isDeleted() {
  return posts.answeredAt !== null && draft.post_id !== null && !posts.get(draft.post_id);
}

/** The post that this draft became, with or without this window knowing it. */
function storedDraft() {
  return posts
    .all()
    .find(({ id, request_key }) => request_key === draft.key || (draft.post_id !== null && id === draft.post_id));
}

/**
 * Another window has scheduled this draft, which says something else here: here it is another post.
 * @param {Post} stored
 */
function goOn(stored) {
  Object.assign(draft, newKey(), { post_id: null });
  if (draft.when === stored.schedule_for) draft.when = null;
  keep();
  showWarnings();
}

function showAccounts() {
  if (posts.author && !posts.accounts.some(({ id }) => id === draft.account_id)) draft.account_id = null;
  const chosen = draft.account_id ?? (Number(account.value) || posts.author?.default_account_id);
  keyed(
    account,
    [{ id: "", account_name: "" }, ...posts.accounts],
    ({ id }) => id,
    ({ id, account_name }) => h("option", { value: id }, account_name ? `@${account_name}` : "Choose…"),
  );
  if (posts.accounts.some(({ id }) => id === Number(chosen))) {
    account.value = String(chosen);
    if (posts.accounts.length > 1) draft.account_id = Number(chosen);
  }
  element("account-field").hidden = posts.accounts.length < 2;
  showMessage(element("no-account"), hasNoAccount() ? `${NO_ACCOUNT} You are “${author}” here.` : "");
  for (const id of ["schedule", "more-ways"]) setAttribute(element(id), "aria-disabled", hasNoAccount());
  showAuthor();
}

/** As X shows who posts: an initial in a circle, and the handle. */
function showAuthor() {
  const name = postingAccount()?.account_name ?? author;
  setText(element("avatar"), name.charAt(0).toUpperCase());
  setText(element("handle"), postingAccount() && posts.accounts.length < 2 ? `@${name}` : "");
  showPause();
}

/** Where the posting account is paused beyond the chosen time, it says so before anything is sent. */
function showPause() {
  const date = when.date();
  const pause = date && pauseOf({ account: postingAccount(), app: posts.app, schedule_for: date.toISOString() });
  showMessage(
    element("pause-warning"),
    pause ? `${pause.who} paused${untilWhen(pause.until)}; before that nothing goes out.` : "",
  );
}

function postingAccount() {
  const id = Number(account.value);
  return posts.accounts.length < 2
    ? (posts.accounts[0] ?? null)
    : (posts.accounts.find((one) => one.id === id) ?? null);
}

function hasNoAccount() {
  return posts.author !== null && !posts.accounts.length;
}

function showWarnings() {
  const warnings = { text: element("text-warning"), date: element("when-warning") };
  warnOfDuplicates({ text: text.value, date: when.date() }, warnings);
}

/**
 * @param {string} name
 * @param {string|null} message
 */
function showError(name, message) {
  showFieldError(...fields[name], message);
}

/**
 * @param {string} failure
 * @param {string} [success]
 * @param {string|null} [but] Why the success is not the whole truth.
 */
function showResult(failure, success = "", but = "") {
  const status = element("composer-status");
  showMessage(element("composer-error"), failure);
  setText(status, [success, but].filter(Boolean).join(" "));
  status.classList.toggle("wait", Boolean(but));
  if (failure) element("composer-error").scrollIntoView({ block: "nearest" });
  else if (success) status.scrollIntoView({ block: "nearest" });
}

/** @param {boolean} value */
function setSending(value) {
  isSending = value;
  element("schedule").setAttribute("aria-busy", String(value));
  clearTimeout(slowness);
  if (!value) return;
  showResult("");
  slowness = setTimeout(() => setText(element("composer-status"), "Sending…"), SLOW);
}

/** As time passes, a time that nobody chose moves on, and the distance shrinks. */
function tick() {
  propose();
  showPause();
}

function propose() {
  if (draft.when === null && document.activeElement !== whenInput) when.set(proposedTime());
  else when.refresh();
}
