// A machine: which of its checkouts belong to no repo yet, to be imported.

import { get, list } from "../api.js";
import { foreign, h, visible } from "../dom.js";
import { when } from "../format.js";
import { href } from "../router.js";
import { currentReader, may } from "../session.js";
import { texts } from "../texts.js";
import { importChooser } from "./import_chooser.js";

const words = texts.machine;

export async function machineView({ ids: [id], signal }) {
  const [{ data: machine }, { data: found }, workspaces] = await Promise.all([
    get(`/machines/${id}`, { signal }),
    get(`/machines/${id}/checkouts`, { query: { registered: false }, signal }),
    list(`/user-profiles/${currentReader().id}/workspaces`, { query: { sort: "name" }, signal }),
  ]);
  return {
    title: visible(machine.name),
    content: [
      h("p", { class: "crumbs" }, h("a", { href: href(["machines"]) }, texts.machines.title)),
      h("h1", {}, foreign(machine.name)),
      h("p", {}, machine.last_report_at === null ? texts.machines.neverReported : [texts.machines.reported, " ", when(machine.last_report_at), ", ", texts.machines.checkouts(machine.checkout_count)], "."),
      h("p", {}, h("a", { href: href(["board"], { machine: id }) }, words.onBoard)),
      h("h2", {}, words.unregistered),
      unregistered(found, workspaces),
    ],
  };
}

function unregistered(found, workspaces) {
  if (found.items.length === 0) return h("p", { class: "panel" }, words.none);
  if (workspaces.length === 0 || !may("write")) return h("p", { class: "panel" }, words.noWorkspace);
  const select = h("select", {}, workspaces.map(({ id, name }) => h("option", { value: id }, visible(name))));
  return [
    h("p", { class: "field" }, h("label", {}, words.workspace, select)),
    importChooser(() => select.value, found),
  ];
}
