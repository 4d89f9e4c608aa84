// Tells when something of the author changed at Hasura: a subscription, over a WebSocket, as long as one can be had.

import { config } from "../lib/config.js";
import { withAccessToken } from "../sign_in/sign_in.js";
import { createClient } from "../vendor/graphql-ws/client.js";
import { ACCOUNTS, APP, LATEST_POST } from "./documents.js";

const PING = 20_000; // a line that died without a word is noticed after this time and the next one
const PONG_TIMEOUT = 5_000;
const DOCUMENTS = [LATEST_POST, ACCOUNTS, APP];
const PAUSES = [1_000, 2_000, 5_000, 15_000, 30_000];

/**
 * @typedef {object} Watch
 * @property {() => boolean} isOn Whether every change is told now. While it is not, it tries again by itself.
 * @property {() => void} end
 */

/**
 * @param {() => void} onChange Called after each change, and when the watch begins or ends to be on.
 * @returns {Watch}
 */
export function watchChanges(onChange) {
  /** @type {Set<string>} The documents whose last answer was no error: all of them while it is on. */
  const answered = new Set();
  let isEnded = false;
  let timer = 0;
  let pongTimer = 0;
  let failures = 0;
  let lose = () => {};
  const client = createClient({
    url: config.graphql.replace(/^http/, "ws"),
    connectionParams: () => withAccessToken(async (token) => ({ headers: { Authorization: `Bearer ${token}` } })),
    connectionAckWaitTimeout: PONG_TIMEOUT,
    keepAlive: PING,
    retryAttempts: 0, // below: also after a refusal
    onNonLazyError: () => {},
    on: {
      closed: () => lose(), // after a normal closure the client would connect again at once, and again
      ping: (received) => {
        if (!received) pongTimer = setTimeout(() => client.terminate(), PONG_TIMEOUT);
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer);
      },
    },
  });
  window.addEventListener("offline", terminate);
  window.addEventListener("online", tryNow);
  subscribe();

  function isOn() {
    return answered.size === DOCUMENTS.length;
  }

  /** One of them is enough to know that the line is lost. */
  function subscribe() {
    if (!navigator.onLine) {
      tryLater();
      return;
    }
    /** @type {(() => void)[]} */
    const ends = [];
    let isLost = false;
    lose = () => {
      if (isLost) return;
      isLost = true;
      for (const end of ends) end();
      tryLater();
    };
    for (const query of DOCUMENTS) {
      ends.push(client.subscribe({ query }, { next: (answer) => take(query, answer), error: lose, complete: lose }));
    }
  }

  /**
   * @param {string} query
   * @param {{errors?: unknown}} answer With errors, Hasura goes on and may answer better later.
   */
  function take(query, { errors }) {
    if (errors) answered.delete(query);
    else answered.add(query);
    if (isOn()) failures = 0;
    onChange();
  }

  function tryLater() {
    clearTimeout(pongTimer);
    if (isEnded) return;
    const wasOn = isOn();
    answered.clear();
    timer = setTimeout(subscribe, PAUSES[Math.min(failures, PAUSES.length - 1)]);
    failures += 1;
    if (wasOn) onChange();
  }

  function tryNow() {
    if (isOn() || isEnded) return;
    lose(); // what may still be connecting
    clearTimeout(timer);
    failures = 0;
    subscribe();
  }

  function terminate() {
    client.terminate();
  }

  function end() {
    isEnded = true;
    clearTimeout(timer);
    lose();
    window.removeEventListener("offline", terminate);
    window.removeEventListener("online", tryNow);
  }

  return { isOn, end };
}
