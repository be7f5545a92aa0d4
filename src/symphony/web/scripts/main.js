// Starts the page: signs the reader in, then shows the view of the address whenever it changes.

import { errorPanel, isExpected, loading } from "./components/notices.js";
import { openShortcuts } from "./components/shortcuts.js";
import { h, replaceContent } from "./dom.js";
import { listen } from "./keys.js";
import { currentRoute, go } from "./router.js";
import { currentReader, onExpiry } from "./session.js";
import { createShell } from "./shell.js";
import { texts } from "./texts.js";
import { boardView } from "./views/board.js";
import { helpView } from "./views/help.js";
import { importView } from "./views/import.js";
import { machineView } from "./views/machine.js";
import { machinesView } from "./views/machines.js";
import { profileView } from "./views/profile.js";
import { repoView } from "./views/repo.js";
import { SIGN_UP, askToSignInAgain, signInPage } from "./views/sign_in.js";
import { tokensView } from "./views/tokens.js";
import { vaultView } from "./views/vault.js";
import { vaultsView } from "./views/vaults.js";
import { workspaceView } from "./views/workspace.js";
import { workspacesView } from "./views/workspaces.js";

// The view of each address. It gets {ids, query, signal} and returns {title, content, refresh}.
const VIEWS = [
  [["board"], boardView],
  [["workspaces"], workspacesView],
  [["workspaces", null], workspaceView],
  [["workspaces", null, "import"], importView],
  [["repos", null], repoView],
  [["vaults"], vaultsView],
  [["vaults", null], vaultView],
  [["machines"], machinesView],
  [["machines", null], machineView],
  [["tokens"], tokensView],
  [["profile"], profileView],
  [["help"], helpView],
];

let shell = null;
let leaving = new AbortController();
let refresh = null;

function viewOf(path) {
  return VIEWS.find(
    ([pattern]) =>
      pattern.length === path.length &&
      pattern.every((step, index) => step === null || step === path[index]),
  )?.[1];
}

async function show({ isFirst = false } = {}) {
  const { path, query } = currentRoute();
  if (path.length === 0 || path[0] === SIGN_UP) {
    history.replaceState(null, "", "#/board");
    return show({ isFirst });
  }
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  refresh = null;
  shell.mark(path[0] === "repos" ? "workspaces" : path[0]);
  replaceContent(shell.main, loading());
  try {
    const view = viewOf(path) ?? notFound;
    const { title, content, refresh: again } = await view({ ids: path.slice(1), query, signal });
    if (signal.aborted) return;
    replaceContent(shell.main, content);
    document.title = `${title} · ${texts.name}`;
    refresh = again ?? show;
  } catch (error) {
    if (signal.aborted) return;
    replaceContent(shell.main, h("h1", {}, texts.errors.title), errorPanel(error, show));
    document.title = texts.name;
    if (!isExpected(error)) throw error;
  }
  if (!isFirst) focusHeading();
  scrollTo(0, 0);
}

/** Tell screen readers where they are, and let the keyboard continue there, or in the field to begin with. */
function focusHeading() {
  const heading = shell.main.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  (shell.main.querySelector("[autofocus]") ?? heading ?? shell.main).focus();
}

async function notFound() {
  return {
    title: texts.errors.notFoundTitle,
    content: [h("h1", {}, texts.errors.notFoundTitle), h("p", {}, texts.errors.notFound)],
  };
}

function begin() {
  shell = createShell();
  replaceContent(document.body, shell.elements);
  addEventListener("hashchange", () => show());
  listen((name) => {
    if (name === "help") openShortcuts();
    else if (name === "search") shell.main.querySelector("input[type=search]")?.focus();
    else if (name === "refresh") refresh?.();
    else if (name === "next" || name === "previous") moveFocus(name === "next" ? 1 : -1);
    else go([name]);
  });
  show();
}

/** Move the focus among the main links of the rows of a list. */
function moveFocus(by) {
  const links = [...shell.main.querySelectorAll("[data-row]")];
  const at = links.indexOf(document.activeElement);
  links[at === -1 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)]?.focus();
}

onExpiry(askToSignInAgain);
// Before the page is left or reloaded, a signed-in reader's page is not kept for the button "Back".
addEventListener("pageshow", (event) => {
  if (event.persisted && currentReader() !== null) location.reload();
});
replaceContent(document.body, signInPage(begin));
document.querySelector("#main input").focus(); // an element has no focus before it is in the document
