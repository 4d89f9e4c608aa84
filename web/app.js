// The page: sign in by name, schedule a post, watch what becomes of it.

const OWN_POSTS = `
  query OwnPosts {
    scheduled_post(order_by: {schedule_for: desc}, limit: 50) {
      id text schedule_for state reason account { account_name }
    }
  }`;
const POLL_MILLISECONDS = 1000;

const element = (id) => document.getElementById(id);
const config = await read(await fetch("config.json"));
let session = JSON.parse(sessionStorage.getItem("session"));

element("sign-in").addEventListener("submit", (event) => handle(event, signIn));
element("schedule").addEventListener("submit", (event) => handle(event, schedule));
element("sign-out").addEventListener("click", () => setSession(null));
element("zone").textContent = `Your time zone: ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
setSession(session);
refreshForever();

async function signIn(form) {
  const username = form.elements.username.value;
  const { access_token } = await request(config.token, { username });
  setSession({ username, token: access_token });
  say(`Welcome, ${username}.`);
}

async function schedule(form) {
  // The field's value has no zone; new Date() reads it in the browser's, toISOString() says it in UTC.
  const schedule_for = new Date(form.elements.when.value).toISOString();
  const created = await request(config.createPost, { text: form.elements.text.value, schedule_for }, session.token);
  form.reset();
  proposeTime();
  say(`Scheduled for ${localTime(created.insert_scheduled_post_one.schedule_for)}.`);
  await refresh();
}

async function handle(event, action) {
  event.preventDefault();
  const button = event.submitter;
  button.disabled = true;
  try {
    await action(event.target);
  } catch (error) {
    say(error.message, true);
  } finally {
    button.disabled = false;
  }
}

async function request(url, body, token) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  return read(await fetch(url, { method: "POST", headers, body: JSON.stringify(body) }));
}

// Problem details (RFC 9457) and the page server's errors both say in words what is wrong.
async function read(answer) {
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new Error(content.detail ?? content.error ?? content.title ?? `The server answered ${answer.status}.`);
  }
  return content;
}

async function graphql(query) {
  const { data, errors } = await request(config.graphql, { query }, session.token);
  if (errors) {
    if (errors[0].extensions?.code === "invalid-jwt") setSession(null);
    throw new Error(errors[0].message);
  }
  return data;
}

async function refreshForever() {
  let failed = false;
  for (;;) {
    try {
      await refresh();
      if (failed) say("");
      failed = false;
    } catch (error) {
      failed = true;
      say(`Cannot look for news: ${error.message}`, true);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
}

async function refresh() {
  const tweets = await read(await fetch(config.timeline));
  show("timeline", "no-tweets", tweets.toReversed().map(tweetItem));
  const asked = session;
  if (!asked) return;
  const { scheduled_post: posts } = await graphql(OWN_POSTS);
  if (session === asked) show("posts", "no-posts", posts.map(postItem));
}

function show(listId, emptyId, items) {
  element(emptyId).hidden = items.length > 0;
  element(listId).replaceChildren(...items);
}

function postItem(post) {
  return item(post.text, [
    node("span", post.state, `state ${post.state}`),
    ` as @${post.account?.account_name ?? "?"}, `,
    timeNode(post.schedule_for),
    ...(post.reason ? [node("p", post.reason, "reason")] : []),
  ]);
}

function tweetItem(tweet) {
  return item(tweet.text, [`@${tweet.username}, `, timeNode(tweet.created_at)]);
}

function item(text, details) {
  const line = node("div");
  line.append(...details);
  const entry = node("li");
  entry.append(node("p", text), line);
  return entry;
}

function timeNode(instant) {
  const shown = node("time", localTime(instant));
  shown.dateTime = instant;
  return shown;
}

function node(name, text = "", className = "") {
  const created = document.createElement(name);
  created.textContent = text;
  created.className = className;
  return created;
}

function setSession(value) {
  session = value;
  if (value) sessionStorage.setItem("session", JSON.stringify(value));
  else sessionStorage.removeItem("session");
  element("sign-in").hidden = Boolean(value);
  element("signed-in").hidden = element("who").hidden = !value;
  element("name").textContent = value ? `@${value.username}` : "";
  show("posts", "no-posts", []);
  if (value) proposeTime();
}

// In a minute, as the field wants it: local time without a zone.
function proposeTime() {
  const soon = new Date(Date.now() + 60_000);
  const two = (number) => String(number).padStart(2, "0");
  const day = [soon.getFullYear(), two(soon.getMonth() + 1), two(soon.getDate())].join("-");
  element("when").value = `${day}T${[soon.getHours(), soon.getMinutes(), soon.getSeconds()].map(two).join(":")}`;
}

function localTime(instant) {
  return new Date(instant).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
}

function say(words, isError = false) {
  element("message").textContent = words;
  element("message").className = isError ? "error" : "";
}
