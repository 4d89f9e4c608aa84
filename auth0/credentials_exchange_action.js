/**
 * The credentials-exchange Action of Auth0: gives the application of the post-login Action Hasura's role `linker`.
 *
 * So the post-login Action needs no admin secret. The role may call `link_account`, and nothing else.
 * The token of every other application, and for every other API, stays as it is.
 */

/**
 * @param {CredentialsExchangeEvent} event
 * @param {{ accessToken: { setCustomClaim: (name: string, value: unknown) => unknown } }} api
 */
exports.onExecuteCredentialsExchange = async (event, api) => {
  const { LINKER_CLIENT_ID, API_AUDIENCE } = event.secrets;
  const isLinker = Boolean(LINKER_CLIENT_ID) && event.client.client_id === LINKER_CLIENT_ID;
  if (isLinker && event.resource_server.identifier === API_AUDIENCE) {
    api.accessToken.setCustomClaim("https://hasura.io/jwt/claims", {
      "x-hasura-allowed-roles": ["linker"],
      "x-hasura-default-role": "linker",
    });
  }
};

/**
 * What is used of Auth0's object; all of it:
 * https://auth0.com/docs/actions/reference/credentials-exchange/credentials-exchange-event-object
 *
 * @typedef {object} CredentialsExchangeEvent
 * @property {Record<string, string | undefined>} secrets
 * @property {{ client_id: string }} client
 * @property {{ identifier: string }} resource_server
 */
