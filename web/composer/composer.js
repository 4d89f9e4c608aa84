// Writing a post and choosing its time.

import { element, h, keyed, setAttribute, setText, showMessage } from "../lib/dom.js";
import { focusFirstInvalid, showFieldError } from "../lib/field_error.js";
import { messageOf, Problem } from "../lib/http.js";
import { dayAndTime } from "../lib/times.js";
import { createPost } from "../posts/actions.js";
import { posts } from "../posts/posts.js";
import { textError } from "../text/text_length.js";
import { forgetDraft, keepDraft, keptDraft, newDraft, newKey } from "./draft.js";
import { warnOfDuplicates } from "./duplicates.js";
import { lengthGauge } from "./text_field.js";
import { proposedTime, whenField } from "./when_field.js";

/** @import { FieldProblem } from "../lib/http.js" */

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
const TICK = 1_000;

let author = "";
let draft = newDraft();
let isSending = false;

const gauge = lengthGauge(text, "text-length");
const when = whenField(whenInput, element("when-zone"), element("quick-picks"));

text.after(gauge.element);
form.addEventListener("input", takeInput);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
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
  when.refresh();
  for (const name of Object.keys(fields)) showError(name, null);
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
  showWarnings();
}

async function send() {
  if (isSending || !author || hasNoAccount()) return;
  const schedule_for = when.date();
  for (const [name, message] of Object.entries(ownErrors())) showError(name, message);
  if (focusFirstInvalid(form) || !schedule_for) return;
  draft.when = schedule_for.toISOString(); // after it was sent it stays: the same key means the same draft
  draft.isSent = true;
  keep();
  const sent = { ...draft };
  setSending(true);
  try {
    const { text, when_late, account_id } = draft;
    const body = { text, schedule_for, when_late, ...(account_id && { account_id }) };
    const { insert_scheduled_post_one: row } = await createPost(body, sent.key);
    finish(sent, row, "Scheduled for");
  } catch (error) {
    showFailure(error);
  } finally {
    setSending(false);
    takePosts(); // the post may have come into the list while it was being sent
  }
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
  draft = { ...newDraft(), account_id: draft.account_id, ...(hasNewText && { text: draft.text, when: draft.when }) };
  keep();
  showResult("", `${message} ${dayAndTime(row.schedule_for)}.`);
  showDraft();
}

/** @param {unknown} error */
function showFailure(error) {
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
  showAccounts();
  const stored = isSending ? null : posts.all().find(({ request_key }) => request_key === draft.key);
  if (!stored) showWarnings();
  else if (draft.isSent) finish(stored, stored, "The answer was lost, but it is scheduled for");
  else finish(stored, stored, "Scheduled in another window for");
}

function showAccounts() {
  if (posts.author && !posts.accounts.some(({ id }) => id === draft.account_id)) draft.account_id = null;
  const chosen = account.value || draft.account_id;
  keyed(
    account,
    [{ id: "", account_name: "" }, ...posts.accounts],
    ({ id }) => id,
    ({ id, account_name }) => h("option", { value: id }, account_name ? `@${account_name}` : "Choose…"),
  );
  if (posts.accounts.some(({ id }) => id === Number(chosen))) account.value = String(chosen);
  element("account-field").hidden = posts.accounts.length < 2;
  showMessage(element("no-account"), hasNoAccount() ? `${NO_ACCOUNT} You are “${author}” here.` : "");
  setAttribute(element("schedule"), "aria-disabled", hasNoAccount());
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

/** @param {string} failure */
function showResult(failure, success = "") {
  showMessage(element("composer-error"), failure);
  setText(element("composer-status"), success);
}

/** @param {boolean} value */
function setSending(value) {
  isSending = value;
  element("schedule").setAttribute("aria-busy", String(value));
}

/** As time passes, a time that nobody chose moves on, and the distance shrinks. */
function tick() {
  if (draft.when === null && document.activeElement !== whenInput) when.set(proposedTime());
  else when.refresh();
}
