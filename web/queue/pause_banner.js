// Above the lists: that all posts, or those of an account, are paused, why, and how the author ends it.

import { h, keyed, setText, showMessage } from "../lib/dom.js";
import { messageOf } from "../lib/http.js";
import { instant, now } from "../lib/times.js";
import { endPause } from "../posts/actions.js";
import { untilWhen } from "../posts/post_state.js";
import { posts } from "../posts/posts.js";

/** @typedef {{id: number, who: string, until: string, reason: string}} Pause `id` is the account's; 0: the app's. */

/** @returns {{element: HTMLElement, refresh: () => void}} Refresh it as time passes: pauses end. */
export function pauseBanners() {
  const element = h("div", { class: "banners" });

  function refresh() {
    keyed(
      element,
      pauses(),
      ({ id }) => id,
      banner,
      (node, pause) => node.refresh(pause),
    );
  }

  return { element, refresh };
}

/** @returns {Pause[]} */
function pauses() {
  const paused = [
    ...(posts.app ? [{ id: 0, who: "All posts are", ...posts.app }] : []),
    ...posts.accounts.map((account) => ({ ...account, who: `@${account.account_name} is` })),
  ];
  return paused
    .filter(({ paused_until }) => paused_until !== null && instant(paused_until).getTime() > now())
    .map(({ id, who, paused_until, paused_reason }) => ({
      id,
      who,
      until: paused_until ?? "",
      reason: paused_reason ?? "",
    }));
}

/** @param {Pause} first */
function banner({ id }) {
  const title = h("strong");
  const reason = h("p");
  const failure = h("p", { role: "alert", hidden: true });
  const end = h("button", { type: "button", class: "button primary", on: { click: press } }, "I fixed it, go on");
  end.hidden = id === 0;
  const node = h("div", { class: "banner wait", role: "status" }, h("div", null, title, reason, failure), end);

  /** @param {Pause} pause */
  function refresh({ who, until, reason: why }) {
    setText(title, `${who} paused${untilWhen(until)}.`);
    showMessage(reason, why);
  }

  async function press() {
    if (end.getAttribute("aria-busy") === "true") return;
    end.setAttribute("aria-busy", "true");
    showMessage(failure, "");
    try {
      await endPause(id);
    } catch (error) {
      showMessage(failure, messageOf(error));
    } finally {
      end.removeAttribute("aria-busy");
    }
  }

  return Object.assign(node, { refresh });
}
