// Switches that make X, or Hasura, fail on purpose; what is still to come; and one that ends it.

import { h, keyed, setText } from "./dom.js";
import { capitalised, failureForm } from "./failure_form.js";

const X_FAILS = "Switched on. Now schedule a post a few seconds from now, and watch.";
const X_WORKS = "X works again. What a limit holds back goes out when its time is over.";
const HASURA = {
  duplicate_next: {
    label: "Ring the next alarm twice",
    done: "The next alarm rings twice at the same moment. Its post goes out once.",
  },
  drop_next: {
    label: "Lose the next alarm",
    done: "The next alarm does not ring, as if Hasura had died holding it. The sweep finds its post within a minute.",
  },
};

/**
 * @param {(path: string, asking?: object) => Promise<object>} ask Asks the page's server.
 * @param {() => void} onChange Called when something was switched.
 * @returns {{element: Element, load: () => Promise<void>, showComing: (failures: object[]) => void}} `load` fetches the
 *   kinds of failure, once; `showComing` takes the failures that X still has to have.
 */
export function failureSwitches(ask, onChange) {
  const words = new Map(); // by kind
  const form = failureForm((body) => change("fail", { body }, X_FAILS));
  const nothing = h("p", { class: "small soft" }, "X works as it should.");
  const coming = h("ul", { class: "coming" });
  const again = button("Let X work again", letWork);
  const news = h("p", { class: "small", role: "status" });
  again.hidden = true;

  async function load() {
    if (words.size) return;
    const kinds = await ask("kinds");
    for (const each of kinds) words.set(each.kind, each.words);
    form.offer(kinds);
  }

  async function letWork() {
    await change("fail", { method: "DELETE" }, X_WORKS);
    form.focus(); // the button that had it goes away
  }

  async function change(path, asking, done) {
    try {
      await ask(path, asking);
      setText(news, done);
      onChange();
    } catch (error) {
      setText(news, error.message);
    }
  }

  function showComing(failures) {
    nothing.hidden = failures.length > 0;
    again.hidden = !failures.length;
    const numbered = failures.map((failure, number) => ({ ...failure, number }));
    keyed(coming, numbered, ({ number }) => number, comingItem, (item, each) => setText(item, inWords(each, words)));
  }

  const hasura = Object.entries(HASURA).map(([path, { label, done }]) =>
    button(label, () => change(path, { body: {} }, done)),
  );
  const element = h(
    "section",
    { class: "card switches", "aria-labelledby": "switches-title" },
    h("h3", { id: "switches-title" }, "Make it fail"),
    h(
      "p",
      { class: "small soft" },
      "The next calls to X fail as you choose. “Accepted” means that X has the post, and the caller does not learn it.",
    ),
    form.element,
    h("div", { class: "still-to-come" }, h("h4", {}, "Still to come"), nothing, coming, again),
    h("div", { class: "hasura-switches", role: "group", "aria-label": "Make Hasura fail" }, ...hasura),
    news,
  );
  return { element, load, showComing };
}

function button(label, click) {
  return h("button", { class: "button quiet", type: "button", on: { click } }, label);
}

function comingItem() {
  return h("li", { class: "chip wait" });
}

function inWords({ kind, times, username }, words) {
  const often = times === 1 ? "once" : `${times} times`;
  return [capitalised(words.get(kind) ?? kind), often, username ? `@${username}` : "everyone"].join(" · ");
}
