// Writing a post and choosing its time.

import { createPost } from "./actions.js";
import { h, keyed, setText } from "./dom.js";
import { keepDraft, keptDraft, newDraft, newKey } from "./draft.js";
import { focusFirstFault, showFault } from "./faults.js";
import { Problem } from "./http.js";
import { posts } from "./posts.js";
import { lengthRing } from "./text_field.js";
import { textFault } from "./text_length.js";
import { dayAndTime } from "./times.js";
import { warnOfTwins } from "./twins.js";
import { proposedTime, whenField } from "./when_field.js";

const element = (id) => document.getElementById(id);
const form = element("composer");
const { text, schedule_for: whenInput, account_id: account, when_late: whenLate } = form.elements;
const faults = {
  text: "text-fault",
  schedule_for: "when-fault",
  account_id: "account-fault",
  when_late: "when-late-fault",
};
const FORBIDDEN = "You may not post from this account, or not any more.";
const TICK = 1_000;

let author = null;
let draft = newDraft();
let isSending = false;

const ring = lengthRing(text, "text-length");
const when = whenField(whenInput, element("when-zone"), element("quick-picks"));

text.after(ring.element);
form.addEventListener("input", takeInput);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
posts.addEventListener("change", takeNews);
setInterval(tick, TICK);

/** Shows the kept draft of an author, by what their token calls them. */
export function openComposer(name) {
  author = name;
  draft = keptDraft(author);
  say("");
  showDraft();
}

function showDraft() {
  text.value = draft.text;
  if (draft.when === "") whenInput.value = "";
  else when.set(draft.when === null ? proposedTime() : new Date(draft.when));
  whenLate.checked = draft.when_late === "publish";
  showAccounts();
  ring.refresh();
  when.refresh();
  for (const name of Object.keys(faults)) fault(name, null);
  warnAgain();
}

function takeInput({ target }) {
  draft.text = text.value;
  if (target === whenInput) draft.when = when.date()?.toISOString() ?? "";
  if (target === account) draft.account_id = Number(account.value) || null;
  draft.when_late = whenLate.checked ? "publish" : "skip";
  keepDraft(author, draft);
  if (target.name in faults) fault(target.name, null);
  say("");
  warnAgain();
}

async function send() {
  if (isSending || !author) return;
  for (const [name, words] of Object.entries(ownFaults())) fault(name, words);
  if (focusFirstFault(form)) return;
  draft.when = when.date().toISOString(); // sent once, it stays: the same key means the same draft
  draft.isSent = true;
  keepDraft(author, draft);
  const sent = { ...draft };
  setSending(true);
  try {
    const { insert_scheduled_post_one: row } = await createPost(asked(), sent.key);
    finish(sent, row, "Scheduled for");
  } catch (error) {
    showFailure(error);
  } finally {
    setSending(false);
    takeNews(); // it may have come into the list while nobody looked
  }
}

/** The draft as createPost takes it. */
function asked() {
  return {
    text: draft.text,
    schedule_for: when.date(),
    when_late: draft.when_late,
    ...(draft.account_id && { account_id: draft.account_id }),
  };
}

function ownFaults() {
  const isChoice = posts.accounts.length > 1;
  return {
    text: textFault(text.value),
    schedule_for: when.fault(),
    account_id: isChoice && !account.value ? "Choose the account that posts." : null,
  };
}

/** What was sent is stored as `row`: the next draft begins, with what was written since. */
function finish(sent, row, words) {
  const goesOn = draft.text !== sent.text;
  draft = { ...newDraft(), account_id: draft.account_id, ...(goesOn && { text: draft.text, when: draft.when }) };
  keepDraft(author, draft);
  say("", `${words} ${dayAndTime(row.schedule_for)}.`);
  showDraft();
}

function showFailure(error) {
  if (!(error instanceof Problem) || error.status >= 500) {
    say(`${error.message} Your draft is kept. Schedule it again: it will not become two posts.`);
    return;
  }
  if (error.type.endsWith("/key-reused")) {
    Object.assign(draft, newKey());
    keepDraft(author, draft);
    say("An earlier version of this draft was scheduled already. Schedule again if you want this one as well.");
    return;
  }
  const [atFields, elsewhere] = [error.errors.filter(hasField), error.errors.filter((one) => !hasField(one))];
  for (const { field, detail } of atFields) fault(field, detail);
  const left = error.errors.length ? elsewhere.map(({ detail }) => detail).join(" ") : error.message;
  say(error.type.endsWith("/forbidden") ? FORBIDDEN : left);
  focusFirstFault(form);
}

/** Whether there is a field at which this can be told. */
function hasField({ field }) {
  return Object.hasOwn(faults, field) && !form.elements[field].closest("[hidden]");
}

function takeNews() {
  showAccounts();
  const stored = isSending ? null : posts.all().find(({ request_key }) => request_key === draft.key);
  if (!stored) warnAgain();
  else if (draft.isSent) finish(stored, stored, "The answer was lost, but it is scheduled for");
  else finish(stored, stored, "Scheduled in another window for");
}

function showAccounts() {
  if (posts.author && !posts.accounts.some(({ id }) => id === draft.account_id)) draft.account_id = null;
  const chosen = account.value || draft.account_id;
  const choices = [{ id: "", account_name: null }, ...posts.accounts];
  keyed(
    account,
    choices,
    ({ id }) => id,
    ({ id, account_name }) => h("option", { value: id }, account_name ? `@${account_name}` : "Choose…"),
  );
  if (posts.accounts.some(({ id }) => id === Number(chosen))) account.value = String(chosen);
  element("account-field").hidden = posts.accounts.length < 2;
}

function warnAgain() {
  const warnings = { text: element("text-warning"), date: element("when-warning") };
  warnOfTwins({ text: text.value, date: when.date() }, warnings);
}

function fault(name, words) {
  showFault(form.elements[name], element(faults[name]), words);
}

function say(fault, news = "") {
  setText(element("composer-fault"), fault);
  element("composer-fault").hidden = !fault;
  setText(element("composer-news"), news);
}

function setSending(value) {
  isSending = value;
  element("schedule").setAttribute("aria-busy", String(value));
}

/** As time passes, a time nobody chose moves on, and the distance shrinks. */
function tick() {
  if (draft.when === null && document.activeElement !== whenInput) when.set(proposedTime());
  else when.refresh();
}
