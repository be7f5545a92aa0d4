// A repo: what is unfinished, its worktrees, checkouts and remotes, and whether its folder can go.

import { get, post, remove } from "../api.js";
import { command, button } from "../components/button.js";
import { deleteSeen } from "../components/delete.js";
import { editInDialog } from "../components/edit.js";
import { objectDetails } from "../components/json_object.js";
import { announce, attempt, loaded } from "../components/notices.js";
import { code, foreign, h, visible } from "../dom.js";
import { when } from "../format.js";
import { go, href } from "../router.js";
import { may } from "../session.js";
import { texts } from "../texts.js";
import { quotePath, settle } from "../board/commands.js";
import { unfinishedSince } from "../board/item.js";
import { workOf } from "../board/words.js";
import { repoBody, repoFields, workspaceOptions } from "./repo_fields.js";
import { disposalPanel, statusPanel, unpushedBranches } from "./repo_status.js";

const words = texts.repo;
const SYNC_WITHIN = 70_000; // milliseconds; the service itself stops after 30 in the queue and 30 more

export async function repoView({ ids: [id], signal }) {
  const { data: repo } = await get(`/repos/${id}`, { signal, exact: true });
  const { data: workspace } = await get(`/workspaces/${repo.workspace_id}`, { signal });
  const checkouts = loaded(
    async () => (await get(`/repos/${id}/checkouts`, { signal })).data.items,
    checkoutsPanel,
    signal,
  );
  return {
    title: visible(repo.name),
    content: [
      h("p", { class: "crumbs" }, h("a", { href: href(["workspaces"]) }, texts.workspaces.title), " › ", h("a", { href: href(["workspaces", workspace.id]) }, foreign(workspace.name))),
      h("div", { class: "title-row" }, h("h1", {}, foreign(repo.name)), may("write") && repoActions(repo)),
      h(
        "dl",
        { class: "facts" },
        h("dt", {}, words.path),
        h("dd", {}, code(repo.path)),
        h("dt", {}, words.remote),
        h("dd", {}, repo.remote_url === null ? words.noRemote : code(repo.remote_url)),
        h("dt", {}, words.lastSynced),
        h("dd", {}, repo.last_synced === null ? words.never : when(repo.last_synced), repo.remote_url !== null && h("small", {}, words.syncHint)),
      ),
      objectDetails(repo.metadata, texts.metadata),
      h("h2", {}, words.checkouts),
      checkouts,
      h("h2", {}, words.disposal),
      h("p", { class: "hint" }, words.disposalHint),
      disposal(id, signal),
    ],
  };
}

function disposal(id, signal) {
  const place = h("div", {});
  place.append(
    button(words.checkDisposal, () =>
      place.replaceChildren(
        loaded(async () => (await get(`/repos/${id}/disposal`, { signal })).data, disposalPanel, signal),
      ),
    ),
  );
  return place;
}

function checkoutsPanel(checkouts) {
  if (checkouts.length === 0) return h("p", { class: "panel" }, words.noCheckouts);
  return h("ul", { class: "board" }, checkouts.map((each) => checkoutItem(each, checkouts.length === 1)));
}

function checkoutItem({ machine, status, ...checkout }, isOnly) {
  const counts = { ...status, unpushed_branches: unpushedBranches(status) };
  const line = settle({ ...checkout, counts }) ?? `cd ${quotePath(checkout.path)}`;
  const work = workOf({ reasons: checkout.reasons, counts });
  return h(
    "li",
    { class: checkout.at_risk === true ? "item risk" : "item" },
    h("h3", {}, machine === null ? texts.board.server : foreign(machine.name)),
    h("p", { class: "work" }, work.length === 0 ? words.needsNothing : work.join(" · ")),
    h("p", { class: "where" }, checkout.branch && [h("span", { class: "branch" }, texts.board.checkedOut, " ", foreign(checkout.branch)), " "], code(checkout.path), " ", unfinishedSince(checkout), h("span", { class: "seen" }, texts.board.seen, " ", when(checkout.observed_at))),
    command(line, visible(line)),
    h("details", { open: isOnly }, h("summary", {}, words.details), statusPanel(status)),
  );
}

function repoActions(repo) {
  const path = `/repos/${repo.id}`;
  return [
    repo.remote_url !== null && button(words.sync, attempt(async () => {
      announce(words.syncing);
      const { data } = await post(`${path}/sync`, undefined, { timeout: SYNC_WITHIN });
      reload(words.synced(Object.keys(data.branches).length));
    })),
    button(texts.edit, attempt(async () => {
      const workspaces = await workspaceOptions();
      const changed = await editInDialog({
        title: words.edit,
        path,
        fieldsOf: (state) => repoFields(state, workspaces),
        toBody: repoBody,
      });
      if (changed) reload(words.saved);
    })),
    button(texts.delete, attempt(async () => {
      const workspaces = await workspaceOptions();
      const isDeleted = await deleteSeen({
        seen: repo,
        load: () => get(path, { exact: true }),
        fieldsOf: (state) => repoFields(state, workspaces),
        question: ({ name }) => ({ title: words.deleteTitle(visible(name)), text: [words.deleteHint], agree: words.delete }),
        request: (ifMatch) => remove(path, { ifMatch }),
      });
      if (!isDeleted) return;
      announce(words.deleted);
      go(["workspaces", repo.workspace_id]);
    }), { class: "danger" }),
  ];
}

function reload(text) {
  announce(text);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
