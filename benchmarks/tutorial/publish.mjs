/**
 * What the tutorial's webhook does, written anew for Node's own fetch: each delivery publishes the one post that it
 * carries, then writes that down. Deliveries come one after the other, and cost nothing here.
 *
 * `node publish.mjs X HASURA` reads a number of posts from each line, and prints `{"ms": [...]}` for each.
 */
import { createInterface } from "node:readline";

const [x, hasura] = process.argv.slice(2);

const PUBLISHED = `mutation keepEvent($id: bigint!) {
  update_scheduled_post(where: {id: {_eq: $id}}, _set: {is_pending: false}) { affected_rows }
}`;

async function post(url, headers, body) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return answer.json();
}

async function deliver({ id, text }) {
  await post(`${x}/2/tweets`, { Authorization: 'OAuth oauth_token="t"' }, { text });
  const headers = { "x-hasura-admin-secret": "the-admin-secret" };
  await post(`${hasura}/v1/graphql`, headers, { query: PUBLISHED, variables: { id } });
}

for await (const line of createInterface({ input: process.stdin })) {
  const ms = [];
  for (let id = 1; id <= Number(line); id++) {
    const began = performance.now();
    await deliver({ id, text: `Post ${id}` });
    ms.push(performance.now() - began);
  }
  console.log(JSON.stringify({ ms }));
}
