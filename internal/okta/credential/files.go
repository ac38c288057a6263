package credential

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// The files of a mounted credentials Secret.
const (
	fileClientID   = "client_id"
	filePrivateKey = "private_key.pem"
	fileKeyID      = "key_id"
	fileAPIToken   = "api_token"
	// maxFile bounds what is read of one file.
	maxFile = 64 << 10
)

// Files reads the credentials from dir at every call: Kubernetes swaps a symlink
// when the Secret changes, so neither a kept handle nor a time stamp can be
// trusted, and a few small reads cost nothing beside a call to Okta.
func Files(dir string) Source {
	return func(context.Context) (Credentials, error) {
		// Reading through the link once keeps the files of one version together:
		// the swap could fall between two of them.
		held := dir
		if version, err := filepath.EvalSymlinks(filepath.Join(dir, "..data")); err == nil {
			held = version
		}
		return readFiles(dir, held)
	}
}

func readFiles(dir, held string) (Credentials, error) {
	content := map[string][]byte{}
	for _, name := range []string{fileClientID, filePrivateKey, fileKeyID, fileAPIToken} {
		text, err := readFile(filepath.Join(held, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Credentials{}, fmt.Errorf("reading %s of the operator's Okta credentials: %w", filepath.Join(dir, name), err)
		}
		content[name] = text
	}
	if err := complete(dir, content); err != nil {
		return Credentials{}, err
	}
	credentials := Credentials{
		ClientID: string(content[fileClientID]), KeyID: string(content[fileKeyID]),
		PrivateKey: identity.NewSecret(content[filePrivateKey]), APIToken: identity.NewSecret(content[fileAPIToken]),
	}
	if credentials.IsToken() {
		return credentials, nil
	}
	if _, err := parseKey(credentials.PrivateKey); err != nil {
		return Credentials{}, fmt.Errorf("reading %s of the operator's Okta credentials: %w", filepath.Join(dir, filePrivateKey), err)
	}
	return credentials, nil
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // the directory is the operator's own configuration
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("it is larger than %d bytes; it should hold one value only", maxFile)
	}
	return bytes.TrimSpace(text), nil
}

// complete holds that exactly one of the two sets of files is there and filled.
func complete(dir string, content map[string][]byte) error {
	const wayOut = "put either client_id, key_id and private_key.pem of a service app, or api_token, into the credentials Secret"
	for _, name := range []string{fileClientID, filePrivateKey, fileKeyID, fileAPIToken} {
		if text, there := content[name]; there && len(text) == 0 {
			return fmt.Errorf("the operator's Okta credentials: %s is empty; %s", filepath.Join(dir, name), wayOut)
		}
	}
	_, token := content[fileAPIToken]
	if token && len(content) > 1 {
		return fmt.Errorf("the operator's Okta credentials: %s holds an API token and a service app's files; %s", dir, wayOut)
	}
	if token {
		return nil
	}
	for _, name := range []string{fileClientID, fileKeyID, filePrivateKey} {
		if _, there := content[name]; !there {
			return fmt.Errorf("the operator's Okta credentials: %s is missing; %s", filepath.Join(dir, name), wayOut)
		}
	}
	return nil
}
