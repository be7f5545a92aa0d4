// What is around every page: the name, the navigation, the reader, and the place of the page itself.

import { button } from "./components/button.js";
import { foreign, h, replaceContent } from "./dom.js";
import { href } from "./router.js";
import { currentReader, signOut } from "./session.js";
import { texts } from "./texts.js";

const SECTIONS = [
  { path: ["board"], words: texts.board.title },
  { path: ["workspaces"], words: texts.workspaces.title },
  { path: ["vaults"], words: texts.vaults.title },
  { path: ["machines"], words: texts.machines.title, isOfUser: true },
  { path: ["tokens"], words: texts.tokens.title, isOfUser: true },
];

/** Create the frame; returns {elements, main, mark}, where `mark` marks the current section. */
export function createShell() {
  const reader = currentReader();
  const links = SECTIONS.filter(({ isOfUser }) => !isOfUser || !reader.isConfined).map(
    ({ path, words }) => ({ path, link: h("a", { href: href(path) }, words) }),
  );
  const profile = reader.isConfined
    ? h("span", { class: "name", title: texts.signedInAs })
    : h("a", { class: "name", title: texts.signedInAs, href: href(["profile"]) });
  const help = h("a", { href: href(["help"]) }, texts.help.title);
  const main = h("main", { id: "main", tabindex: "-1" });
  const skip = h("a", { class: "skip", href: "#main", onclick: (event) => skipTo(event, main) }, texts.skip);
  const header = h(
    "header",
    { class: "top" },
    h("a", { class: "brand", href: href(["board"]) }, texts.name),
    h("nav", { "aria-label": texts.sections }, h("ul", {}, links.map(({ link }) => h("li", {}, link)))),
    h(
      "div",
      { class: "reader" },
      profile,
      help,
      button(texts.signOut, signOut, { class: "small" }),
    ),
  );
  const mark = (section) => {
    // The name may have been changed on the page before.
    const label = !reader.isConfined && h("span", { class: "visually-hidden" }, `${texts.profile.title}: `);
    replaceContent(profile, label, foreign(currentReader().name));
    for (const { path, link } of [...links, { path: ["profile"], link: profile }, { path: ["help"], link: help }]) {
      if (path[0] === section) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  };
  return { elements: [skip, header, main], main, mark };
}

function skipTo(event, main) {
  event.preventDefault(); // the fragment is the address of the page
  main.focus();
}
