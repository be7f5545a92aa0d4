// From signing up to a locked vault, with openapi-fetch and types of openapi-typescript.
// Usage: node story_openapi_fetch.js ADDRESS; it exits with an error when a response differs from the expected
// one. Each body has only the fields that a person would write.

import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

declare const process: { argv: string[] };

function require(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

function unwrap<Data>(result: { data?: Data; error?: unknown }): NonNullable<Data> {
  if (result.data === undefined || result.data === null) throw new Error(JSON.stringify(result.error));
  return result.data;
}

const baseUrl = process.argv[2];
const anybody = createClient<paths>({ baseUrl });
const password = 'correct horse battery staple';
const profile = unwrap(
  await anybody.POST('/api/v1/user-profiles', {
    body: { username: 'ada', email: 'ada@example.org', password },
  }),
);
const { access_token } = unwrap(
  await anybody.POST('/api/v1/auth/token', {
    body: { username: 'ada', password },
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  }),
);

const ada = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${access_token}` } });
const workspace = unwrap(
  await ada.POST('/api/v1/user-profiles/{user_profile_id}/workspaces', {
    params: { path: { user_profile_id: profile.id } },
    body: { name: 'Thesis' },
  }),
);
require(workspace.workspace_type === 'general', 'the type of a workspace has a default');
const inWorkspace = { path: { workspace_id: workspace.id } };
const repo = unwrap(
  await ada.POST('/api/v1/workspaces/{workspace_id}/repos', {
    params: { ...inWorkspace, header: { 'Idempotency-Key': 'once' } },
    body: { name: 'engine', path: '~/dev/engine', metadata: { colour: 'blue' } },
  }),
);
require(repo.metadata['colour'] === 'blue' && repo.last_synced === null, 'the repo is as created');
const page = unwrap(
  await ada.GET('/api/v1/workspaces/{workspace_id}/repos', {
    params: { ...inWorkspace, query: { sort: '-name' } },
  }),
);
require(page.items[0]?.id === repo.id && page.next_cursor === null, 'the list contains the repo');

const created = await ada.POST('/api/v1/workspaces/{workspace_id}/vaults', {
  params: inWorkspace,
  body: { name: 'keys', path: '~/vaults/keys' },
});
const vault = unwrap(created);
const ofVault = { path: { vault_id: vault.id } };
const entry = { path: { vault_id: vault.id, key: 'db' } };
unwrap(
  await ada.PUT('/api/v1/vaults/{vault_id}/entries/{key}', { params: entry, body: { content: 'x' } }),
);
const locked = unwrap(
  await ada.POST('/api/v1/vaults/{vault_id}/lock', {
    params: { ...ofVault, header: { 'If-Match': created.response.headers.get('ETag') ?? '' } },
  }),
);
require(!vault.is_locked && locked.is_locked, 'the vault is locked');
const patch = { params: ofVault, body: { name: 'other' } };
const refused = await ada.PATCH('/api/v1/vaults/{vault_id}', patch);
const known: components['schemas']['KnownProblemCode'] = 'vault-locked';
require(refused.response.status === 423 && refused.error?.code === known, 'a locked vault stays');
unwrap(await ada.POST('/api/v1/vaults/{vault_id}/unlock', { params: ofVault }));
require(unwrap(await ada.PATCH('/api/v1/vaults/{vault_id}', patch)).name === 'other', 'an unlocked vault is updated');

// Bodies that only have to compile.
const bodies: [
  components['schemas']['DiscoveryCreate'],
  components['schemas']['ApiTokenCreate'],
  components['schemas']['SignInForm'],
  components['schemas']['VaultCreate'],
  components['schemas']['RepoImport'],
] = [
  { root: '~/dev' },
  { name: 'laptop', scopes: ['read'] },
  { username: 'ada', password },
  { name: 'work', path: '~/vaults/work', protection: 'passphrase', passphrase: 'a horse, a battery' },
  { items: [{ name: 'engine', path: '~/dev/engine' }] },
];
require(bodies.length === 5, 'bodies compile');
