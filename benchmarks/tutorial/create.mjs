/**
 * What the tutorial's route does, written anew for Node's own fetch: it stores the post with the author's token, then
 * sets the scheduled event with the admin secret. With `not-awaited` it answers without waiting for the event.
 *
 * `node create.mjs UPSTREAM awaited|not-awaited` reads lines of `POSTS CALLERS`, has so many callers at once create so
 * many posts, and prints `{"ms": [...], "cpu_ms": ..., "seconds": ...}` for each, as create_posts.py does.
 */
import { createInterface } from "node:readline";

const [upstream, mode] = process.argv.slice(2);
const token = "t".repeat(700);

const INSERT = `mutation insertPost($text: String!, $schedule_for: timestamptz!) {
  insert_scheduled_post_one(object: {text: $text, schedule_for: $schedule_for}) {
    id text schedule_for user_id account_id
  }
}`;

async function post(path, headers, body) {
  const answer = await fetch(upstream + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return answer.json();
}

async function createPost(body) {
  const { text, schedule_for } = JSON.parse(body);
  const { data } = await post(
    "/v1/graphql",
    { Authorization: `Bearer ${token}` },
    { query: INSERT, variables: { text, schedule_for } },
  );
  const event = post(
    "/v1/metadata",
    { "x-hasura-admin-secret": "the-admin-secret" },
    {
      type: "create_scheduled_event",
      args: {
        webhook: "http://localhost:7071/api/postTweet",
        schedule_at: schedule_for,
        payload: data.insert_scheduled_post_one,
        headers: [{ name: "x-webhook-secret", value_from_env: "WEBHOOK_SECRET" }],
      },
    },
  );
  return JSON.stringify(mode === "awaited" ? { ...data, scheduled_event: await event } : data);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [posts, callers] = line.split(" ").map(Number);
  const ms = [];
  let number = 0;
  const caller = async () => {
    while (number < posts) {
      const text = `Post ${number++}`;
      const body = JSON.stringify({ text, schedule_for: new Date(Date.now() + 864e5).toISOString() });
      const began = performance.now();
      await createPost(body);
      ms.push(performance.now() - began);
    }
  };
  const before = process.cpuUsage();
  const began = performance.now();
  await Promise.all(Array.from({ length: callers }, caller));
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ ms, cpu_ms: (user + system) / 1000 / posts, seconds }));
}
