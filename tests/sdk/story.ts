// From signing up to a locked vault, with a client that was made from the OpenAPI document.
// Usage: node story.js ADDRESS; it ends with an error when anything is not as it should be.

import {
  Configuration,
  ReposApi,
  ResponseError,
  SignInApi,
  Sort,
  UserProfilesApi,
  VaultsApi,
  WorkspacesApi,
  WorkspaceType,
  type Problem,
} from './client/index.js';

declare const process: { argv: string[] };

function expect(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

async function refusal(asked: Promise<unknown>): Promise<Problem> {
  try {
    await asked;
  } catch (error) {
    if (error instanceof ResponseError) return (await error.response.json()) as Problem;
    throw error;
  }
  throw new Error('it was not refused');
}

const basePath = process.argv[2];
const anybody = new Configuration({ basePath });
const password = 'correct horse battery staple';
const profile = await new UserProfilesApi(anybody).createUserProfile({
  userProfileCreate: { username: 'ada', email: 'ada@example.org', password },
});
const { accessToken } = await new SignInApi(anybody).createAccessToken({
  username: 'ada',
  password,
});

const ada = new Configuration({ basePath, accessToken });
const workspace = await new WorkspacesApi(ada).createWorkspace({
  userProfileId: profile.id,
  workspaceCreate: { name: 'Thesis', workspaceType: WorkspaceType.Research },
});
const repos = new ReposApi(ada);
const repo = await repos.createRepo({
  workspaceId: workspace.id,
  idempotencyKey: 'once',
  repoCreate: { name: 'engine', path: '~/dev/engine', metadata: { colour: 'blue' } },
});
expect(repo.metadata.colour === 'blue' && repo.lastSynced === null, 'the repo is as it was made');
const page = await repos.listRepos({ workspaceId: workspace.id, sort: Sort.NAME_DESCENDING });
expect(page.items[0]?.id === repo.id && page.nextCursor === null, 'the list holds the repo');

const vaults = new VaultsApi(ada);
const made = await vaults.createVaultRaw({
  workspaceId: workspace.id,
  vaultCreate: { name: 'keys', path: '~/vaults/keys' },
});
const vault = await made.value();
const ifMatch = made.raw.headers.get('ETag') ?? '';
const locked = await vaults.lockVault({ vaultId: vault.id, ifMatch });
expect(!vault.isLocked && locked.isLocked, 'the vault is locked');
const change = { vaultId: vault.id, vaultPatch: { name: 'other' } };
const problem = await refusal(vaults.updateVault(change));
expect(problem.status === 423 && problem.code === 'vault-locked', 'a locked vault stays');
await vaults.unlockVault({ vaultId: vault.id });
expect((await vaults.updateVault(change)).name === 'other', 'an unlocked vault is changed');
