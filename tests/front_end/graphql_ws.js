// Subscribes with graphql-ws alone: with the first of the tokens, and with the second once the first has expired.
import { createClient } from "graphql-ws";

const { HASURA, TOKENS } = process.env;
const tokens = TOKENS.split(",");
const closings = [];
const client = createClient({
  url: `${HASURA.replace(/^http/, "ws")}/v1/graphql`,
  connectionParams: () => ({ headers: { Authorization: `Bearer ${tokens.shift()}` } }),
  shouldRetry: () => true,
  on: { closed: ({ code }) => closings.push(code) },
});

const answers = [];
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
