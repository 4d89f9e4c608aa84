// Schedules a post by posts.js, and prints what that shows until X has the post.
import { postsOf } from "./posts.js";

const { HASURA, FUNCTIONS, TOKEN } = process.env;
const posts = postsOf({ hasura: HASURA, functions: FUNCTIONS, getToken: async () => TOKEN });

const created = await posts.schedule("Written by Apollo", new Date(Date.now() + 4000));
const pending = await posts.pending();
const states = [];
const published = await new Promise((resolve) => {
  const stop = posts.watch(created.id, (post) => {
    states.push(post.state);
    if (post.tweet_id) {
      stop();
      resolve(post);
    }
  });
});
posts.close();
console.log(JSON.stringify({ created, pending, states, published }));
