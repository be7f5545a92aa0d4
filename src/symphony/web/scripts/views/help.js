// Where to read more, and the shortcuts.

import { describeService, pageAddress, serviceAddress } from "../api.js";
import { copyButton } from "../components/button.js";
import { shortcutTable } from "../components/shortcuts.js";
import { code, h } from "../dom.js";
import { texts } from "../texts.js";

const words = texts.help;
const PAGES = [
  ["guides/getting-started", words.gettingStarted],
  ["guides", words.guides],
  ["docs", words.docs],
  ["redoc", words.redoc],
  ["problems", words.problems],
];

export async function helpView({ signal }) {
  const { version } = await describeService(signal);
  return {
    title: words.title,
    content: [
      h("h1", {}, words.title),
      h("ul", { class: "links" }, PAGES.map(([path, text]) => h("li", {}, h("a", { href: pageAddress(path) }, text)))),
      h("h2", {}, texts.keys.title),
      shortcutTable(),
      h("h2", {}, words.serviceTitle),
      h("p", {}, words.address, " ", code(serviceAddress()), " ", copyButton(serviceAddress(), words.address)),
      h("p", {}, words.version(version)),
    ],
  };
}
