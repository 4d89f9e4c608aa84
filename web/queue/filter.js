// Which posts the lists show: those with these words, of this account, in this state.

import { h, keyed } from "../lib/dom.js";
import { stateOf } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";

/** @import { Post } from "../posts/posts.js" */

/**
 * @param {() => void} onChange
 * @returns {{element: HTMLElement, search: HTMLInputElement, isOn: () => boolean, accepts: (post: Post) => boolean,
 *   refresh: (all: Post[]) => void, clear: () => void}} `refresh` offers the accounts and states that there are.
 */
export function postFilter(onChange) {
  const search = h("input", {
    type: "search",
    "aria-label": "Search posts",
    placeholder: "Search",
    autocomplete: "off",
    maxlength: 100,
    on: { input: onChange },
  });
  const account = h("select", { "aria-label": "Show posts of", on: { input: onChange } });
  const state = h("select", { "aria-label": "Show posts that are", on: { input: onChange } });
  const element = h("div", { class: "filter", role: "search" }, search, account, state);

  /** @param {Post[]} all */
  function refresh(all) {
    account.hidden = posts.accounts.length < 2;
    offer(
      account,
      "All accounts",
      posts.accounts.map(({ id, account_name }) => [String(id), `@${account_name}`]),
    );
    const words = [...new Set(all.map((post) => stateOf(post).word))].sort();
    if (state.value && !words.includes(state.value)) words.push(state.value);
    offer(
      state,
      "Any state",
      words.map((word) => [word, word]),
    );
  }

  /** @param {Post} post */
  function accepts(post) {
    const wanted = search.value.trim().toLowerCase();
    return (
      (!wanted || `${post.text} ${post.account?.account_name ?? ""}`.toLowerCase().includes(wanted)) &&
      (!account.value || String(post.account_id) === account.value) &&
      (!state.value || stateOf(post).word === state.value)
    );
  }

  function clear() {
    for (const field of [search, account, state]) field.value = "";
    onChange();
  }

  const isOn = () => [search, account, state].some(({ value }) => value.trim() !== "");
  return { element, search, isOn, accepts, refresh, clear };
}

/**
 * @param {HTMLSelectElement} select
 * @param {string} all The name of the choice that restricts nothing.
 * @param {[string, string][]} choices
 */
function offer(select, all, choices) {
  const chosen = select.value;
  keyed(
    select,
    [["", all], ...choices],
    ([value]) => value,
    ([value, name]) => h("option", { value }, name),
  );
  select.value = choices.some(([value]) => value === chosen) ? chosen : "";
}
