// Developer tools of the local stack: fault injection and the event log. The page's own server asks X and Hasura; the
// admin secret stays there.

import { h, showMessage } from "../lib/dom.js";
import { messageOf, request } from "../lib/http.js";
import { polling } from "../lib/polling.js";
import { eventLog } from "./event_log.js";
import { faultInjection } from "./fault_injection.js";

/**
 * Makes the developer tools in `root`. They poll only while they are shown.
 * @param {HTMLElement} root
 * @param {string} url Of the page's server, ending in a slash.
 */
export function developerTools(root, url) {
  const faults = faultInjection((path, options) => request(url + path, options), pollNow);
  const log = eventLog((path) => request(url + path), pollNow);
  const failure = h("p", { class: "notice wait", role: "status", hidden: true });
  const polled = polling(
    async (signal) => {
      await Promise.all([faults.load(signal), log.load(signal)]);
    },
    (error) => showMessage(failure, error ? `${messageOf(error)} It tries again; the data here may be old.` : ""),
  );
  const description =
    "Set a fault of X, schedule a post a few seconds from now, and see in the event log how it is published nevertheless, once.";
  root.append(
    h("header", { class: "view-header" }, h("h2", null, "Developer tools"), h("p", { class: "soft" }, description)),
    failure,
    faults.element,
    h("div", { class: "composer-place" }),
    log.element,
  );
  return polled;

  function pollNow() {
    polled.pollNow();
  }
}
