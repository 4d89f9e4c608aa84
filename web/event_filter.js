// Which of Hasura's events the machine room shows.

import { h } from "./dom.js";
import { showFault } from "./faults.js";

/** What the choice says, and the kinds that it asks for. */
const CHOICES = {
  "Alarms and moves": ["one_off", "table"],
  "Alarms alone": ["one_off"],
  "Moves alone": ["table"],
  "The sweep": ["cron"],
  Everything: ["one_off", "table", "cron"],
};

/**
 * @param {() => void} onChange
 * @returns {{element: Element, onlyPost: (id: number) => void, query: (limit: number) => URLSearchParams}} `query` is
 *   what the page's server is asked; `onlyPost` narrows to what belongs to one post.
 */
export function eventFilter(onChange) {
  const on = { input: onChange };
  const options = Object.keys(CHOICES).map((words) => h("option", {}, words));
  const choice = h("select", { id: "event-choice", on }, ...options);
  const post = h("input", {
    id: "event-post",
    type: "number",
    min: 1,
    step: 1,
    inputmode: "numeric",
    placeholder: "any",
    "aria-describedby": "event-post-fault",
    on: { input: changePost },
  });
  const fault = h("p", { class: "fault", id: "event-post-fault", role: "alert", hidden: true });
  const element = h(
    "form",
    { class: "event-filter", "aria-label": "Which events", on: { submit: (event) => event.preventDefault() } },
    h("div", { class: "field" }, h("label", { for: "event-choice" }, "Events"), choice),
    h("div", { class: "field" }, h("label", { for: "event-post" }, "Of post number"), post, fault),
  );

  function onlyPost(id) {
    post.value = id;
    post.focus();
    changePost();
  }

  function changePost() {
    showFault(post, fault, post.validity.valid ? null : "Not the number of a post: those of all posts are shown.");
    onChange();
  }

  function query(limit) {
    const asked = new URLSearchParams({ limit });
    for (const kind of CHOICES[choice.value]) asked.append("kind", kind);
    if (post.value && post.validity.valid) asked.set("post", post.value);
    return asked;
  }

  return { element, onlyPost, query };
}
