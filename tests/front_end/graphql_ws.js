// Subscribes with graphql-ws alone: with a token of 3 seconds until an answer comes, then with one of an hour.
// The token is signed when graphql-ws asks for it, so that it does not expire while Node.js starts.
import { createHmac } from "node:crypto";
import { createClient } from "graphql-ws";

const { HASURA, CLAIMS, KEY } = process.env;
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function tokenFor(seconds) {
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const signed = `${encoded({ alg: "HS256" })}.${encoded({ ...JSON.parse(CLAIMS), exp })}`;
  return `${signed}.${createHmac("sha256", KEY).update(signed).digest("base64url")}`;
}

const answers = [];
const closings = [];
const client = createClient({
  url: `${HASURA.replace(/^http/, "ws")}/v1/graphql`,
  connectionParams: () => ({ headers: { Authorization: `Bearer ${tokenFor(answers.length ? 3600 : 3)}` } }),
  shouldRetry: () => true,
  on: { closed: ({ code }) => closings.push(code) },
});

await new Promise((resolve, reject) => {
  client.subscribe(
    { query: "subscription { user { username } }" },
    {
      next: (answer) => {
        answers.push(answer);
        if (answers.length === 2) resolve();
      },
      error: reject,
      complete: reject,
    },
  );
});
await client.dispose();
console.log(JSON.stringify({ answers, closings }));
