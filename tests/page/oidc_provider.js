// An OpenID Connect provider for the tests of the page: the package oidc-provider, with a page of its own for signing in.
//
// node tests/page/oidc_provider.js PAGE AUDIENCE, where PAGE is the address of the page, and AUDIENCE names the API.
// Prints its issuer when it answers, and ends with its standard input.

import { createServer } from "node:http";
import process from "node:process";
import Provider from "oidc-provider";

const [page, audience] = process.argv.slice(2);
const CLIENT = "scheduled-posts-page";
const SCOPE = "openid profile offline_access";
const HASURA_CLAIMS = "https://hasura.io/jwt/claims";

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  const issuer = `http://localhost:${address.port}`;
  server.on("request", handlerOf(new Provider(issuer, configuration())));
  console.log(issuer);
});
process.stdin.on("end", () => process.exit()).resume();

function configuration() {
  return {
    clients: [
      {
        client_id: CLIENT,
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token"],
        redirect_uris: [page],
        post_logout_redirect_uris: [page],
      },
    ],
    clientBasedCORS: (_context, origin) => origin === new URL(page).origin,
    claims: { openid: ["sub"], profile: ["name"] },
    cookies: { keys: ["not secret: every test run has a provider of its own"] },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, name: `${nameOf(id)} of the tests` }) }),
    interactions: { url: (_context, interaction) => `/sign-in/${interaction.uid}` },
    issueRefreshToken: (_context, client) => client.grantTypeAllowed("refresh_token"),
    loadExistingGrant: grantOf,
    extraTokenClaims: (_context, token) => ({ [HASURA_CLAIMS]: sessionOf(token.accountId) }),
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (context) => ({
          scope: "",
          audience,
          accessTokenFormat: "jwt",
          accessTokenTTL: lifetimeOf(context.oidc.account?.accountId ?? ""),
          jwt: { sign: { alg: "RS256" } },
        }),
      },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true, logoutSource: askWhetherToSignOut },
    },
  };
}

/** The session that Hasura reads in a token. */
function sessionOf(subject) {
  return { "x-hasura-default-role": "user", "x-hasura-allowed-roles": ["user"], "x-hasura-user-id": subject };
}

/** Who signs in as "brief-…" gets access tokens for a few seconds. */
function lifetimeOf(subject) {
  return nameOf(subject).startsWith("brief-") ? 12 : 300;
}

function nameOf(subject) {
  return subject.split("|")[1] ?? "";
}

/** Whoever is signed in has granted the page everything: it is the provider's own. */
async function grantOf(context) {
  const { client, provider, session } = context.oidc;
  if (!session.accountId) return undefined;
  const id = session.grantIdFor(client.clientId);
  if (id) return provider.Grant.find(id);
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(SCOPE);
  await grant.save();
  return grant;
}

function handlerOf(provider) {
  const answer = provider.callback();
  provider.on("server_error", (_context, error) => console.error(error));
  return async (request, response) => {
    if (request.url === "/favicon.ico") response.writeHead(204).end();
    else if (!request.url.startsWith("/sign-in/")) answer(request, response);
    else if (request.method === "GET") response.setHeader("Content-Type", "text/html").end(signInPage());
    else await signIn(provider, request, response);
  };
}

async function signIn(provider, request, response) {
  let body = "";
  for await (const chunk of request) body += chunk;
  const form = new URLSearchParams(body);
  const denial = { error: "access_denied", error_description: "The author said no" };
  const result = form.has("deny") ? denial : { login: { accountId: `test|${form.get("name")}` } };
  await provider.interactionFinished(request, response, result);
}

function signInPage() {
  return `<!doctype html><html lang="en"><title>Provider</title><form method="post">
    <label>Name at the provider <input name="name"></label>
    <button>Continue</button> <button name="deny" value="yes">Deny</button></form>`;
}

function askWhetherToSignOut(context, form) {
  context.body = `<!doctype html><html lang="en"><title>Provider</title>${form}
    <button type="submit" form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>`;
}
