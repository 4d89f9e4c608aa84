// JSON over HTTP, and the two ways in which it fails: the server refused, or no server could be reached.

const TIMEOUT = 30_000;

/**
 * @typedef {{field: string, detail: string}} FieldProblem
 * @typedef {{status: number, type?: string, title?: string, detail?: string, errors?: FieldProblem[]}} ProblemDetails
 */

/** The server refused: a problem document (RFC 9457), or an error of the page's own server. */
export class Problem extends Error {
  /** @param {ProblemDetails} details */
  constructor({ status, type = "", title = "", detail = "", errors = [] }) {
    super(detail || title || `The server answered ${status}.`);
    this.status = status;
    this.type = type;
    this.errors = errors;
  }
}

/** The server does not accept the token: nothing was done. */
export class TokenRefused extends Problem {}

/** No server could be reached, or it failed. What was requested may or may not have happened. */
export class Unreachable extends Error {}

/**
 * Sends a request and returns the parsed JSON answer.
 * @param {string} url
 * @param {{method?: string, body?: object, headers?: Record<string, string>, token?: string, timeout?: number,
 *   signal?: AbortSignal, keepalive?: boolean}} [options] With a body, the method is POST; `timeout` is in milliseconds;
 *   `keepalive`: it goes on when the page is left.
 * @throws {Problem|Unreachable}
 */
export async function request(url, options = {}) {
  const { method, body, headers = {}, token, timeout = TIMEOUT, signal, keepalive = false } = options;
  const answer = await reach(url, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...(token && { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    keepalive,
    signal: AbortSignal.any([AbortSignal.timeout(timeout), ...(signal ? [signal] : [])]),
  });
  const content = await answer.json().catch(() => null);
  if (answer.ok && content !== null) return content;
  throw refusal(answer.status, content);
}

/**
 * The message of whatever was thrown.
 * @param {unknown} error
 */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * @param {string} url
 * @param {RequestInit} options
 */
async function reach(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    throw new Unreachable("The server cannot be reached.", { cause: error });
  }
}

/**
 * @param {number} status
 * @param {(Partial<ProblemDetails> & {error?: string})|null} content
 */
function refusal(status, content) {
  const detail = content?.detail ?? content?.error ?? content?.title;
  if (typeof detail !== "string" || status < 400) return new Unreachable(`The server failed: it answered ${status}.`);
  return new (status === 401 ? TokenRefused : Problem)({ ...content, status, detail });
}
