// Subscribes with urql's own exchange, over graphql-ws.
import { Client, fetchExchange, gql, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";

const { HASURA, TOKEN } = process.env;
const headers = { Authorization: `Bearer ${TOKEN}` };
const socket = createClient({
  url: `${HASURA.replace(/^http/, "ws")}/v1/graphql`,
  connectionParams: { headers },
});
const client = new Client({
  url: `${HASURA}/v1/graphql`,
  fetchOptions: { headers },
  preferGetMethod: false,
  exchanges: [
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: (request) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ ...request, query: request.query ?? "" }, sink) }),
      }),
    }),
  ],
});

const queried = await client.query(gql`{ user { username } }`, {});
const subscribed = await new Promise((resolve) => {
  const { unsubscribe } = client.subscription(gql`subscription { user { username } }`, {}).subscribe((result) => {
    resolve(result);
    setTimeout(() => unsubscribe());
  });
});
await socket.dispose();
console.log(JSON.stringify({ queried: queried.data, subscribed: subscribed.data, error: subscribed.error?.message }));
