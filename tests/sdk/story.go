// From signing up to a locked vault, with a client that is generated from the OpenAPI document.
// Usage: story ADDRESS; it exits with an error when a response differs from the expected one.

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"symphony"
)

const password = "correct horse battery staple"

func require(condition bool, what string) {
	if !condition {
		fmt.Fprintln(os.Stderr, "failed:", what)
		os.Exit(1)
	}
}

func must[T any](value T, _ *http.Response, err error) T {
	require(err == nil, fmt.Sprint(err))
	return value
}

func problem(err error) symphony.Problem {
	var refused *symphony.GenericOpenAPIError
	require(errors.As(err, &refused), "the request is refused")
	return refused.Model().(symphony.Problem)
}

func main() {
	configuration := symphony.NewConfiguration()
	configuration.Servers = symphony.ServerConfigurations{{URL: os.Args[1]}}
	client := symphony.NewAPIClient(configuration)
	anybody := context.Background()

	profile := must(client.UserProfilesAPI.CreateUserProfile(anybody).
		UserProfileCreate(*symphony.NewUserProfileCreate("ada", "ada@example.org", password)).Execute())
	token := must(client.SignInAPI.CreateAccessToken(anybody).Username("ada").Password(password).Execute())
	ada := context.WithValue(anybody, symphony.ContextAccessToken, token.AccessToken)

	creation := symphony.NewWorkspaceCreate("Thesis")
	creation.SetWorkspaceType(symphony.RESEARCH)
	workspace := must(client.WorkspacesAPI.CreateWorkspace(ada, profile.Id).WorkspaceCreate(*creation).Execute())

	described := symphony.NewRepoCreate("engine", "~/dev/engine")
	described.SetMetadata(map[string]interface{}{"colour": "blue"})
	repo := must(client.ReposAPI.CreateRepo(ada, workspace.Id).RepoCreate(*described).IdempotencyKey("once").Execute())
	require(repo.Metadata["colour"] == "blue" && !repo.LastSynced.IsSet() || repo.LastSynced.Get() == nil, "the repo is as created")
	page := must(client.ReposAPI.ListRepos(ada, workspace.Id).Sort(symphony.NAME_DESCENDING).Limit(1).Execute())
	require(len(page.Items) == 1 && page.Items[0].Id == repo.Id, "the list contains the repo")

	vault, response, err := client.VaultsAPI.CreateVault(ada, workspace.Id).
		VaultCreate(*symphony.NewVaultCreate("keys", "~/vaults/keys")).Execute()
	require(err == nil, fmt.Sprint(err))
	locked := must(client.VaultsAPI.LockVault(ada, vault.Id).IfMatch(response.Header.Get("ETag")).Execute())
	require(!vault.IsLocked && locked.IsLocked, "the vault is locked")

	change := symphony.NewVaultPatch()
	change.SetName("other")
	_, response, err = client.VaultsAPI.UpdateVault(ada, vault.Id).VaultPatch(*change).Execute()
	code := problem(err).Code.KnownProblemCode
	require(response.StatusCode == 423 && code != nil && *code == symphony.VAULT_LOCKED, "a locked vault is not updated")
	must(client.VaultsAPI.UnlockVault(ada, vault.Id).Execute())
	changed := must(client.VaultsAPI.UpdateVault(ada, vault.Id).VaultPatch(*change).Execute())
	require(changed.Name == "other", "an unlocked vault is updated")

	var later symphony.Problem
	require(later.UnmarshalJSON([]byte(`{"type": "/problems/new", "title": "", "status": 409,
		"detail": "", "instance": "/", "code": "of-a-later-version", "request_id": ""}`)) == nil,
		"a problem of a later version is parsed")
	require(*later.Code.String == "of-a-later-version", "its code is a string")
}
