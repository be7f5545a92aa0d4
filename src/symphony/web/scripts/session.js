// Who is signed in. The token is in this module's memory only, so a reload of the page ends it.

import { Problem, SignedOut, get, post, requestToken, useAuthority } from "./api.js";

let token = null;
let reader = null;
let renewal = null;
let askAgain = () => Promise.reject(new SignedOut());

useAuthority({ token: () => token, renew });

/**
 * Return the reader: {id, name, withToken, tokenId, scopes, isConfined}, or null. A confined API token reaches
 * some workspaces only, and nothing that concerns the user as a whole.
 */
export const currentReader = () => reader;

export const may = (scope) => reader !== null && reader.scopes.includes(scope);

/** Set what asks a reader to sign in again: a function of the reader, which calls `resume…`. */
export function onExpiry(ask) {
  askAgain = ask;
}

/** Sign in, and return the reader. Throws: Problem, Unreachable. */
export async function signIn(username, password) {
  const answer = await requestToken(username, password);
  const { data } = await get("/user-profiles/me", { token: answer.access_token });
  token = answer.access_token;
  reader = {
    id: data.id,
    name: data.username,
    withToken: false,
    scopes: ["read", "write", "secrets"],
    isConfined: false,
  };
  return reader;
}

/** Sign in with an API token that can read, and return the reader. Throws: Problem, Unreachable. */
export async function signInWithToken(given) {
  const { data } = await get("/api-tokens/current", { token: given });
  if (!data.scopes.includes("read")) throw new Problem(403, { code: "cannot-read" });
  token = given;
  reader = {
    id: data.user_profile_id,
    name: data.name,
    withToken: true,
    tokenId: data.id,
    scopes: data.scopes,
    isConfined: data.workspace_ids !== null,
  };
  return reader;
}

/** Create a profile and sign in. Throws: Problem, Unreachable. */
export async function signUp({ username, email, password }) {
  await post("/user-profiles", { username, email, password });
  return signIn(username, password);
}

/** Sign in again as the same reader. Throws: Problem, Unreachable. */
export async function resume(password) {
  token = (await requestToken(reader.name, password)).access_token;
}

/** Continue with another API token of the same user. Throws: Problem, Unreachable. */
export async function resumeWithToken(given) {
  const { data } = await get("/api-tokens/current", { token: given });
  if (data.user_profile_id !== reader.id) throw new Problem(403, { code: "other-user" });
  token = given;
  reader = { ...reader, tokenId: data.id, scopes: data.scopes, isConfined: data.workspace_ids !== null };
}

/** Return an access token that was issued just now; the reader continues with the present one. */
export async function recentToken(username, password) {
  return (await requestToken(username, password)).access_token;
}

/** Continue with the successor of the reader's API token, which has the same rights. */
export function continueWithSuccessor(successor) {
  token = successor.token;
  reader = { ...reader, tokenId: successor.id };
}

/** The reader has another user name, which the next sign-in needs. */
export function rename(name) {
  if (!reader.withToken) reader = { ...reader, name };
}

/** Forget everything of this session: a reload leaves nothing of it in the memory of the page. */
export function signOut() {
  token = null;
  reader = null;
  history.replaceState(null, "", "#/");
  location.reload();
}

/** Wait until `refused` has been replaced; several requests wait for the same question. */
async function renew(refused) {
  if (token !== refused) return;
  renewal ??= askAgain(reader).finally(() => {
    renewal = null;
  });
  await renewal;
}
