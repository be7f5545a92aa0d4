// The machines that report what they have: list, create with a token, rename, delete.

import { get, list, post, remove } from "../api.js";
import { button } from "../components/button.js";
import { deleteSeen } from "../components/delete.js";
import { createInDialog, editInDialog } from "../components/edit.js";
import { announce, attempt } from "../components/notices.js";
import { commandsThatReport, commandsWithToken } from "../components/terminal.js";
import { foreign, h, visible } from "../dom.js";
import { when } from "../format.js";
import { href } from "../router.js";
import { may } from "../session.js";
import { texts } from "../texts.js";
import { showSecret } from "./secret.js";

const words = texts.machines;

export async function machinesView({ signal }) {
  const machines = await list("/machines", { query: { sort: "name" }, signal });
  return {
    title: words.title,
    content: [
      h("div", { class: "title-row" }, h("h1", {}, words.title), may("write") && button(words.create, attempt(create), { class: "primary" })),
      h("p", {}, words.intro),
      machines.length === 0
        ? h("div", { class: "panel" }, h("p", {}, words.none), h("p", {}, words.howTo), commandsThatReport())
        : [
            h("ul", { class: "rows" }, machines.map(machineRow)),
            h("details", { class: "more" }, h("summary", {}, words.another), h("p", {}, words.howTo), commandsThatReport()),
          ],
    ],
  };
}

function machineFields({ name }) {
  return [{ name: "name", label: texts.nameLabel, value: name ?? "", hint: words.nameHint, required: true, autocomplete: "off" }];
}

function machineRow(machine) {
  const name = visible(machine.name);
  const path = `/machines/${machine.id}`;
  return h(
    "li",
    {},
    h("a", { href: href(["machines", machine.id]), "data-row": true }, foreign(machine.name)),
    h("span", {}, machine.last_report_at === null ? words.neverReported : [words.reported, " ", when(machine.last_report_at)]),
    h("span", {}, words.checkouts(machine.checkout_count)),
    may("write") &&
      h(
        "span",
        { class: "row-actions" },
        button(words.newToken, attempt(() => createToken(machine)), { class: "small", "aria-label": `${words.newToken}: ${name}` }),
        button(texts.rename, attempt(async () => {
          if (await editInDialog({ title: words.rename, path, fieldsOf: machineFields })) reload(words.saved);
        }), { class: "small", "aria-label": `${texts.rename}: ${name}` }),
        button(texts.delete, attempt(async () => {
          const isDeleted = await deleteSeen({
            seen: machine,
            load: () => get(path),
            fieldsOf: machineFields, // not when it reported, which nobody edits
            question: (now) => ({ title: words.deleteTitle(visible(now.name)), text: words.deleteText, agree: words.delete }),
            request: (ifMatch) => remove(path, { ifMatch }),
          });
          if (isDeleted) reload(words.deleted);
        }), { class: "small danger", "aria-label": `${texts.delete}: ${name}` }),
      ),
  );
}

async function create() {
  const machine = await createInDialog({
    title: words.create,
    above: h("p", {}, words.createHint),
    fields: machineFields({}),
    submit: words.create,
    path: "/machines",
  });
  if (!machine) return;
  dispatchEvent(new HashChangeEvent("hashchange"));
  await createToken(machine);
}

async function createToken({ id, name }) {
  const { data } = await post("/api-tokens", { name, scopes: ["report"], machine_id: id });
  await showSecret({ title: words.tokenTitle(visible(name)), text: words.tokenText, secret: data.token, below: [h("p", {}, words.tokenUse), commandsWithToken()] });
}

function reload(text) {
  announce(text);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
