// All texts of the page, in English. A translation replaces the modules in `texts/`.

import { accounts } from "./texts/accounts.js";
import { board } from "./texts/board.js";
import { common } from "./texts/common.js";
import { machines } from "./texts/machines.js";
import { repos } from "./texts/repos.js";
import { vaults } from "./texts/vaults.js";
import { workspaces } from "./texts/workspaces.js";

export const texts = { ...common, ...accounts, ...board, ...workspaces, ...repos, ...vaults, ...machines };
