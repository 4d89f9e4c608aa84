// The form that says how X is to fail, how often and for whom.

import { h, setText } from "./dom.js";
import { posts } from "./posts.js";

const FIRST_CHOICE = "timeout_after";
const SHORT_ENOUGH_TO_WATCH = 5;

/**
 * @param {(failure: {kind: string, times: number, username?: string, ms?: number}) => void} onSubmit
 * @returns {{element: Element, offer: (kinds: object[]) => void, focus: () => void}} `offer` takes the kinds of failure
 *   that X knows: `{kind, sort, words, ms}`, where `ms` is null when the kind takes no time.
 */
export function failureForm(onSubmit) {
  let timed = new Set();
  const kind = h("select", { id: "failure-kind", on: { input: showLength } });
  const length = numberInput("failure-length", { min: 0, max: 86_400, step: "any", value: SHORT_ENOUGH_TO_WATCH });
  const times = numberInput("failure-times", { min: 1, max: 1_000, step: 1, value: 1 });
  const whom = h("select", { id: "failure-whom" }, h("option", { value: "" }, "Everyone"));
  const lengthField = field("Seconds it takes", length);
  const element = h(
    "form",
    { class: "failure-form", "aria-label": "Make X fail", on: { submit } },
    field("What happens", kind),
    lengthField,
    field("How often", times),
    field("For whom", whom),
    h("button", { class: "button" }, "Make X fail"),
  );
  posts.addEventListener("change", offerAccounts);
  offerAccounts();

  function offer(kinds) {
    timed = new Set(kinds.filter(({ ms }) => ms !== null).map((each) => each.kind));
    kind.replaceChildren(...bySort(kinds));
    kind.value = FIRST_CHOICE;
    showLength();
  }

  function showLength() {
    lengthField.hidden = !timed.has(kind.value);
    length.disabled = lengthField.hidden;
    setText(lengthField.firstChild, kind.value.startsWith("429") ? "Seconds it lasts" : "Seconds it takes");
  }

  function offerAccounts() {
    const names = posts.accounts.map(({ account_name }) => account_name);
    const offered = [...whom.options].slice(1).map(({ value }) => value);
    if (names.join() === offered.join()) return;
    const chosen = whom.value;
    whom.replaceChildren(whom.options[0], ...names.map((name) => h("option", { value: name }, `@${name}`)));
    whom.value = names.includes(chosen) ? chosen : "";
  }

  function submit(event) {
    event.preventDefault();
    onSubmit({
      kind: kind.value,
      times: times.valueAsNumber,
      ...(whom.value && { username: whom.value }),
      ...(!length.disabled && { ms: Math.round(length.valueAsNumber * 1_000) }),
    });
  }

  return { element, offer, focus: () => kind.focus() };
}

function field(label, control) {
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control);
}

function numberInput(id, attributes) {
  return h("input", { id, type: "number", required: true, ...attributes });
}

function bySort(kinds) {
  const sorts = [...new Set(kinds.map(({ sort }) => sort))];
  const option = ({ kind, words }) => h("option", { value: kind }, capitalised(words));
  return sorts.map((label) => h("optgroup", { label }, ...kinds.filter(({ sort }) => sort === label).map(option)));
}

/** "Accepted, then no answer" */
export function capitalised(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
