// Where the page finds what it talks to: config.json, of the local stack or beside the files of a static host.

const NEEDED = ["createPost", "graphql"];

/**
 * @type {{createPost: string, graphql: string, token?: string, machineRoom?: string}}
 * `createPost` and `graphql` are the addresses of the API; `token` is there where one signs in by name alone (local
 * stack), `machineRoom` where the stack shows what happens inside.
 */
export const config = await read();

async function read() {
  try {
    return checked(await load());
  } catch (error) {
    document.getElementById("loading").textContent = `${error.message} So this page does not know where the API is.`;
    throw error;
  }
}

async function load() {
  try {
    const answer = await fetch("config.json");
    return await answer.json();
  } catch (error) {
    throw new Error("config.json cannot be read. Reload the page to try again.", { cause: error });
  }
}

function checked(config) {
  const missing = NEEDED.filter((name) => typeof config?.[name] !== "string" || !config[name]);
  if (missing.length) throw new Error(`config.json does not name ${missing.join(" and ")}.`);
  return config;
}
