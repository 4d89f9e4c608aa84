// Schedules, lists and watches an author's posts, with Apollo Client 4 and graphql-ws.
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";

const FIELDS = "id text schedule_for state reason tweet_id";

const PENDING = gql`query Pending {
  scheduled_post(where: {is_pending: {_eq: true}}, order_by: [{schedule_for: asc}, {id: asc}], limit: 20) { ${FIELDS} }
  scheduled_post_aggregate(where: {is_pending: {_eq: true}}) { aggregate { count } }
}`;

const POST = gql`subscription Post($id: bigint!) { scheduled_post_by_pk(id: $id) { ${FIELDS} } }`;

/**
 * hasura and functions are addresses without a path; getToken is asked for an access token before each request and
 * connection, so that an expired one is never sent.
 */
export function postsOf({ hasura, functions, getToken }) {
  const authorization = async () => ({ Authorization: `Bearer ${await getToken()}` });

  const socket = createClient({
    url: `${hasura.replace(/^http/, "ws")}/v1/graphql`,
    connectionParams: async () => ({ headers: await authorization() }),
    shouldRetry: () => true, // five times in a row, also when Hasura cannot be reached or getToken fails
  });
  const http = new SetContextLink(async ({ headers }) => ({
    headers: { ...headers, ...(await authorization()) },
  })).concat(new HttpLink({ uri: `${hasura}/v1/graphql` }));
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket),
      http,
    ),
  });

  return {
    /** Creates a post and its scheduled event. schedule_for needs an offset, which toISOString() has: Z. */
    async schedule(text, at) {
      const response = await fetch(`${functions}/api/createPost`, {
        method: "POST",
        headers: {
          ...(await authorization()),
          "Content-Type": "application/json",
          "Idempotency-Key": crypto.randomUUID(), // for a retry of this post, send the same key again
        },
        body: JSON.stringify({ text, schedule_for: at.toISOString() }),
      });
      const body = await response.json();
      if (!response.ok) throw new Error(body.detail); // what else a problem has: docs/errors.md
      return body.insert_scheduled_post_one;
    },

    /** The next 20 posts that wait, and how many wait in all. */
    async pending() {
      const { data } = await client.query({ query: PENDING, fetchPolicy: "network-only" });
      return { posts: data.scheduled_post, count: data.scheduled_post_aggregate.aggregate.count };
    },

    /** Calls show with the post now, and again after each change. Returns what ends that. */
    watch(id, show) {
      const changes = client.subscribe({ query: POST, variables: { id } });
      const subscription = changes.subscribe(({ data }) => data && show(data.scheduled_post_by_pk));
      return () => subscription.unsubscribe();
    },

    close() {
      client.stop();
      socket.dispose();
    },
  };
}
