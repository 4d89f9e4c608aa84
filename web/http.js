// JSON over HTTP, and the two ways in which it fails: somebody said no, or nobody could be heard.

const TIMEOUT = 30_000;

/** The server refused, in words: a problem (RFC 9457), or what the page's own server says. */
export class Problem extends Error {
  /** @param {{status: number, type?: string, title?: string, detail?: string, errors?: {field, detail}[]}} said */
  constructor({ status, type = "", title = "", detail = "", errors = [] }) {
    super(detail || title || `The server answered ${status}.`);
    Object.assign(this, { status, type, title, detail, errors });
  }
}

/** Nobody could be heard, or nobody who is well: what was asked for may or may not have happened. */
export class Away extends Error {}

/**
 * Asks, and returns the parsed JSON answer.
 * @param {string} url
 * @param {{method?: string, body?: object, headers?: object, token?: string, timeout?: number, signal?: AbortSignal}}
 *   [asking] With a body, the method is POST; `timeout` in milliseconds.
 * @throws {Problem|Away}
 */
export async function request(url, { method, body, headers = {}, token, timeout = TIMEOUT, signal } = {}) {
  const answer = await reach(url, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...(token && { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.any([AbortSignal.timeout(timeout), ...(signal ? [signal] : [])]),
  });
  const content = await answer.json().catch(() => null);
  if (answer.ok && content !== null) return content;
  throw refusal(answer.status, content);
}

async function reach(url, asking) {
  try {
    return await fetch(url, asking);
  } catch (error) {
    throw new Away("The server cannot be reached.", { cause: error });
  }
}

function refusal(status, content) {
  const words = content?.detail ?? content?.error ?? content?.title;
  if (typeof words !== "string" || status < 400) return new Away(`The server is not well: it answered ${status}.`);
  return new Problem({ ...content, status, detail: words });
}
