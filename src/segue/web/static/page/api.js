// Requests to the server that the page came from.

const TIMEOUT = 15_000; // milliseconds

/** A request that failed: `status` (0: no answer came), `code`, `message` for people, `retryAfter` in seconds if said. */
export class ApiError extends Error {
  constructor(status, code, message, retryAfter) {
    super(message);
    Object.assign(this, { name: "ApiError", status, code, retryAfter });
  }

  /** Whether the same request may work a little later. */
  get busy() {
    return this.status === 503 || this.status === 429;
  }
}

/** Whether an error says that nobody wants the answer any more. */
export const dropped = (error) => error?.name === "AbortError";

/** Whether a key can be sent at all: a header takes no letters outside Latin-1. */
export function sendable(key) {
  try {
    return Boolean(new Headers({ Authorization: key }));
  } catch {
    return false;
  }
}

/**
 * `get(path)` and `post(path, body)` give the JSON of the answer; both take `{ signal }` and raise ApiError.
 * `text(path)` gives it as text.
 *
 * @param keys `{ current(), ask(message) }`: the key, and a promise of a new one (null: none was given).
 */
export function makeApi(keys) {
  async function send(method, path, body, signal, read) {
    for (;;) {
      const used = keys.current();
      const answer = await ask(method, path, body, signal, used);
      if (answer.status === 401) {
        // another request may have been given one meanwhile
        if (keys.current() !== used || (await keys.ask(used ? "The server does not know this key." : ""))) continue;
        throw new ApiError(401, "unauthorized", "The server asks for a key, and none was given.");
      }
      if (!answer.ok) throw await failure(answer);
      const content = await read(answer);
      signal?.throwIfAborted();
      return content;
    }
  }

  return {
    get: (path, { signal } = {}) => send("GET", path, undefined, signal, json),
    post: (path, body, { signal } = {}) => send("POST", path, body, signal, json),
    text: (path, { signal } = {}) => send("GET", path, undefined, signal, (answer) => answer.text()),
  };
}

async function ask(method, path, body, signal, key) {
  const headers = {};
  if (key) headers.Authorization = `Bearer ${key}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const late = AbortSignal.timeout(TIMEOUT);
  const both = signal ? AbortSignal.any([signal, late]) : late;
  try {
    return await fetch(path, { method, headers, body: body && JSON.stringify(body), signal: both });
  } catch (error) {
    signal?.throwIfAborted();
    if (late.aborted) throw tooLate();
    throw new ApiError(0, "unreachable", "The server cannot be reached. Is it still running?");
  }
}

const tooLate = () => new ApiError(0, "late", `The server did not answer within ${TIMEOUT / 1000} seconds.`);

async function json(answer) {
  try {
    return await answer.json();
  } catch (error) {
    if (dropped(error)) throw error;
    if (error.name === "TimeoutError") throw tooLate();
    throw new ApiError(answer.status, "no_json", "The server answered with something that is no JSON.");
  }
}

async function failure(answer) {
  const seconds = Number(answer.headers.get("Retry-After")) || undefined;
  let detail = {};
  try {
    detail = (await answer.json()).error ?? {};
  } catch (error) {
    if (dropped(error)) throw error;
  }
  const message = detail.message ?? `The server answered with ${answer.status} ${answer.statusText}.`;
  return new ApiError(answer.status, detail.code ?? "failed", sentence(message), seconds);
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.?!]$/.test(text) ? "" : ".");

/** One request at a time: `begin()` drops the one before and gives the signal of the next. */
export function latest() {
  let current = null;
  return {
    begin() {
      current?.abort();
      current = new AbortController();
      return current.signal;
    },
    stop() {
      current?.abort();
    },
  };
}
