// Keeps the posts as they are at Hasura: asks each second for what changed.
//
// A subscription would need a socket, a protocol on it and a second way to be away; and Hasura answers it by polling
// the database each second itself. One small query over the author's own rows costs as much, and works through
// whatever lies between.

import { SignedOut } from "./access_token.js";
import { EVERYTHING, IDS, NEWS, Refusal, SOME, asUser } from "./hasura.js";
import { posts } from "./posts.js";

const VISIBLE_PAUSE = 1_000;
const HIDDEN_PAUSE = 15_000;
const AWAY_PAUSES = [1_000, 2_000, 4_000, 8_000, 15_000];

/** One answer that is lost is nothing to alarm an author with. */
const FAILURES_TO_BE_AWAY = 2;

/** News come at once, or somebody is not well. */
const NEWS_TIMEOUT = 5_000;

/** `updated_at` is when a change began; it may become visible after one that began later. So long back is asked. */
const OVERLAP = 10_000;

/** Never seen anything: earlier than any post. */
const THE_BEGINNING = "2000-01-01T00:00:00Z";

let running = null;

/**
 * Loads everything, then asks for news until `stop`.
 * @param {(words: string) => void} onSignedOut Called when the token is no longer taken; asking has stopped then.
 */
export function start(onSignedOut) {
  stop();
  running = new Asking(onSignedOut);
  running.askOn();
}

/** Asks no more. What is known stays. */
export function stop() {
  running?.end();
  running = null;
}

/** Asks no more, and forgets the posts: somebody else may come. */
export function forget() {
  stop();
  posts.clear();
}

/** Asks at once: something was just changed here. */
export function pollNow() {
  running?.wake();
}

document.addEventListener("visibilitychange", pollNow);
window.addEventListener("online", pollNow);

class Asking {
  #onSignedOut;
  #ended = false;
  #isLoaded = false;
  #failures = 0;
  #wakeUp = () => {};
  #isWoken = false;
  #newsAt = 0;

  constructor(onSignedOut) {
    this.#onSignedOut = onSignedOut;
  }

  async askOn() {
    while (!this.#ended) {
      this.#isWoken = false;
      await this.#askOnce();
      if (!this.#isWoken && !this.#ended) await this.#pause();
    }
  }

  wake() {
    this.#isWoken = true;
    this.#wakeUp();
  }

  end() {
    this.#ended = true;
    this.#wakeUp();
  }

  async #askOnce() {
    try {
      await (this.#isLoaded ? this.#askForNews() : this.#load());
      if (this.#ended) return;
      this.#failures = 0;
      posts.setState("live");
    } catch (error) {
      if (this.#ended) return;
      if (error instanceof SignedOut) {
        this.end();
        this.#onSignedOut(error.message);
        return;
      }
      this.#failures += 1;
      if (this.#failures < FAILURES_TO_BE_AWAY) return;
      posts.setState("away", error instanceof Refusal ? error.message : "The server is not answering.");
    }
  }

  async #load() {
    const { user, account, app, scheduled_post } = await asUser(EVERYTHING);
    if (this.#ended) return;
    posts.author = user[0] ?? null;
    posts.merge(account, app[0], scheduled_post);
    posts.keepOnly(scheduled_post.map(({ id }) => id));
    this.#isLoaded = true;
    this.#newsAt = Date.now();
  }

  async #askForNews() {
    const { account, app, scheduled_post, scheduled_post_aggregate } = await asUser(
      NEWS,
      { since: this.#since() },
      { timeout: NEWS_TIMEOUT },
    );
    if (this.#ended) return;
    if (posts.merge(account, app[0], scheduled_post)) this.#newsAt = Date.now();
    if (posts.size !== scheduled_post_aggregate.aggregate.count) await this.#compareIds();
  }

  /** Some were deleted; or one took so long to become visible that it is no news any more. */
  async #compareIds() {
    const { scheduled_post } = await asUser(IDS);
    if (this.#ended) return;
    const ids = scheduled_post.map(({ id }) => id);
    posts.keepOnly(ids);
    const missing = ids.filter((id) => !posts.get(id));
    if (!missing.length) return;
    const late = await asUser(SOME, { ids: missing });
    if (!this.#ended) posts.merge(late.account, late.app[0], late.scheduled_post);
  }

  /** For a while after the last news from somewhat before it; then from it, or a thousand posts of one moment would come
   * again with every answer. */
  #since() {
    const latest = posts.latestUpdate();
    if (!latest) return THE_BEGINNING;
    if (Date.now() - this.#newsAt > OVERLAP) return latest;
    return new Date(Date.parse(latest) - OVERLAP).toISOString();
  }

  #pause() {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#pauseLength());
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #pauseLength() {
    if (this.#failures) return AWAY_PAUSES[Math.min(this.#failures, AWAY_PAUSES.length) - 1];
    return document.hidden ? HIDDEN_PAUSE : VISIBLE_PAUSE;
  }
}
