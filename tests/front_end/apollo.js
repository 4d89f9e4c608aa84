// Schedules a post by posts.js, moves it to now, and prints what that shows until X has the post.
import { postsOf } from "./posts.js";

const { HASURA, FUNCTIONS, TOKEN } = process.env;
const HOUR = 60 * 60_000;
const MOVE =
  "mutation ($id: bigint!, $at: timestamptz!) { update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {schedule_for: $at}) { id } }";
const posts = postsOf({ hasura: HASURA, functions: FUNCTIONS, getToken: async () => TOKEN });

const created = await posts.schedule("Written by Apollo", new Date(Date.now() + HOUR));
const pending = await posts.pending();
const states = [];
const published = await new Promise((resolve) => {
  const stop = posts.watch(created.id, (post) => {
    states.push(post.state);
    if (states.length === 1) moveToNow(post.id);
    if (post.tweet_id) {
      stop();
      resolve(post);
    }
  });
});
posts.close();
console.log(JSON.stringify({ created, pending, states, published }));

async function moveToNow(id) {
  await fetch(`${HASURA}/v1/graphql`, {
    method: "POST",
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify({ query: MOVE, variables: { id, at: new Date().toISOString() } }),
  });
}
