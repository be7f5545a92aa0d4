// The only module that sends requests, to the public API of this service and nothing else.

const ROOT = new URL("../../../", import.meta.url); // this file is at web/<release>/scripts/api.js
const TIMEOUT = 30_000; // milliseconds
const MAX_PAGE = 200;
const AT_ONCE = 4; // requests about the items of a list, so that no other request queues behind many of them

/** An answer with an error status (RFC 9457). */
export class Problem extends Error {
  constructor(status, document, retryAfter) {
    super(document.detail ?? document.title ?? `HTTP ${status}`);
    this.status = status;
    this.code = document.code ?? "";
    this.errors = Array.isArray(document.errors) ? document.errors : [];
    this.document = document;
    this.retryAfter = retryAfter;
  }
}

/** No answer: the network or the service is away, or it took too long. */
export class Unreachable extends Error {}

/** The reader has not signed in again. */
export class SignedOut extends Error {}

// Who supplies the token, and a new one when it is refused: see session.js.
let authority = { token: () => null, renew: () => Promise.reject(new SignedOut()) };

export function useAuthority(given) {
  authority = given;
}

/** Return the address of a page of this service, such as /docs. */
export function pageAddress(path) {
  return new URL(path, ROOT).href;
}

/** Return the address of the service, as it is given to programs. */
export function serviceAddress() {
  return ROOT.href.replace(/\/$/, "");
}

/**
 * Send a request to a path below /api/v1 and return {status, data, etag}.
 *
 * When the token is refused, the reader signs in again and the request is repeated: a refused
 * request has had no effect. With `exact`, numbers are as `parseExactly` keeps them.
 * Throws: Problem, Unreachable, SignedOut; an AbortError when `signal` is aborted.
 */
export async function send(method, path, options = {}) {
  const token = options.token ?? authority.token();
  try {
    return await sendOnce(method, `api/v1${path}`, { ...options, token });
  } catch (error) {
    const isRefused = error instanceof Problem && error.status === 401 && token !== null;
    if (!isRefused || options.token !== undefined) throw error;
    await authority.renew(token);
    return sendOnce(method, `api/v1${path}`, { ...options, token: authority.token() });
  }
}

export const get = (path, options) => send("GET", path, options);
export const post = (path, body, options) => send("POST", path, { body, ...options });
export const patch = (path, body, options) => send("PATCH", path, { body, ...options });
export const put = (path, body, options) => send("PUT", path, { body, ...options });
export const remove = (path, options) => send("DELETE", path, options);

/** Return the items of all pages of a list. */
export async function list(path, { query = {}, ...options } = {}) {
  const items = [];
  let cursor;
  do {
    const { data } = await get(path, { ...options, query: { ...query, limit: MAX_PAGE, cursor } });
    items.push(...data.items);
    cursor = data.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}

/** Return what `request` resolves with for each item, in their order; few are sent at the same time. */
export async function requestEach(items, request) {
  const results = [];
  const waiting = [...items].entries();
  const work = async () => {
    for (const [index, item] of waiting) results[index] = await request(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}

/**
 * Parse JSON. A number that a script would round or write in another way stays as it is written, if the
 * browser can keep it (JSON.rawJSON).
 */
export function parseExactly(text) {
  return JSON.parse(text, (name, value, context) =>
    typeof value === "number" && JSON.rawJSON && String(value) !== context.source
      ? JSON.rawJSON(context.source)
      : value,
  );
}

/** Sign in by name and password, and return {access_token, expires_in}. */
export async function requestToken(username, password) {
  const form = new URLSearchParams({ grant_type: "password", username, password });
  return (await sendOnce("POST", "api/v1/auth/token", { form, token: null })).data;
}

/** Return the service's name, version and registration. */
export async function describeService(signal) {
  return (await sendOnce("GET", "", { token: null, signal })).data;
}

/** Return a key that makes the repetition of a creation harmless. */
export function newIdempotencyKey() {
  // Not randomUUID, which browsers offer on HTTPS and localhost only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sendOnce(method, path, options) {
  const address = new URL(path, ROOT);
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined && value !== null && value !== "") address.searchParams.set(name, value);
  }
  const headers = { Accept: "application/json", ...options.headers };
  if (options.token) headers.Authorization = `Bearer ${options.token}`;
  if (options.ifMatch) headers["If-Match"] = options.ifMatch;
  if (options.key) headers["Idempotency-Key"] = options.key;
  let body = options.form;
  if (options.body !== undefined) {
    body = JSON.stringify(options.body);
    headers["Content-Type"] =
      method === "PATCH" ? "application/merge-patch+json" : "application/json";
  }
  const timeout = AbortSignal.timeout(options.timeout ?? TIMEOUT);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  try {
    const answer = await fetch(address, {
      method,
      headers,
      body,
      signal,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
    return await read(answer, options.exact);
  } catch (error) {
    if (error instanceof Problem || options.signal?.aborted) throw error;
    throw new Unreachable(error.name);
  }
}

async function read(answer, isExact) {
  const type = answer.headers.get("Content-Type") ?? "";
  const parse = isExact ? parseExactly : JSON.parse;
  const data = type.includes("json") ? parse(await answer.text()) : null;
  if (!answer.ok) {
    const seconds = Number.parseInt(answer.headers.get("Retry-After") ?? "", 10);
    throw new Problem(answer.status, data ?? {}, Number.isNaN(seconds) ? null : seconds);
  }
  return { status: answer.status, data, etag: answer.headers.get("ETag") };
}
