// The open sessions of vaults with a passphrase. They are in this module's memory only.

const HIDDEN_FOR = 5 * 60_000; // milliseconds after which a tab that nobody sees forgets its secrets
const sessions = new Map(); // by the id of the vault: {session, until}
const listeners = new Set();
let hiddenSince = null;
let timer = null;

/** Return {session, until} of a vault, or null when there is none or it has expired. */
export function sessionOf(vaultId) {
  const found = sessions.get(vaultId);
  if (found && found.until > Date.now()) return found;
  sessions.delete(vaultId);
  return null;
}

export function keepSession(vaultId, session, until) {
  sessions.set(vaultId, { session, until: Date.parse(until) });
}

export function forgetSession(vaultId) {
  sessions.delete(vaultId);
}

/** The service has ended all sessions, such as after a new password. */
export function forgetSessions() {
  sessions.clear();
}

/** Call `forget` when all secrets have to leave the page, until `signal` is aborted. */
export function onForget(forget, signal) {
  listeners.add(forget);
  signal.addEventListener("abort", () => listeners.delete(forget));
}

function forgetAll() {
  forgetSessions();
  for (const forget of [...listeners]) forget();
}

// A hidden tab gets its timers late, or never on a sleeping machine, so the time is compared as well.
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (document.visibilityState === "hidden") {
    hiddenSince = Date.now();
    timer = setTimeout(forgetAll, HIDDEN_FOR);
  } else if (hiddenSince !== null && Date.now() - hiddenSince >= HIDDEN_FOR) {
    forgetAll();
  }
});
