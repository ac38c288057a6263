// Package canary looks for secret material in what anybody may read: in every spelling in which it
// could slip out. It is for tests.
package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// Material is what must not be seen of a Secret's data: client secrets, access tokens, the lines of
// private keys and their private numbers, by what each is.
func Material(name string, data map[string][]byte) (map[string]string, error) {
	found := map[string]string{}
	for _, field := range []string{"client_secret", "access_token", "api_token"} {
		if text := strings.TrimSpace(string(data[field])); text != "" {
			found[name+" "+field] = text
		}
	}
	for i, line := range strings.Split(string(data["private_key.pem"]), "\n") {
		if len(line) > 20 && !strings.HasPrefix(line, "--") {
			found[fmt.Sprintf("%s private_key.pem line %d", name, i)] = line
		}
	}
	if text := data["jwk"]; len(text) > 0 {
		var jwk struct{ D string }
		if err := json.Unmarshal(text, &jwk); err != nil {
			return nil, fmt.Errorf("the jwk of %s cannot be read: %w", name, err)
		}
		if jwk.D == "" {
			return nil, fmt.Errorf("the jwk of %s has no private number", name)
		}
		found[name+" jwk.d"] = jwk.D
	}
	return found, nil
}

// Seen tells what of the material stands in the text, and in which spelling.
func Seen(text []byte, known map[string]string) []string {
	var seen []string
	for name, material := range known {
		for how, spelled := range Spell(material) {
			if bytes.Contains(text, []byte(spelled)) {
				seen = append(seen, fmt.Sprintf("%s (%s)", name, how))
			}
		}
	}
	return seen
}

// Spell writes material in the ways in which it could slip out.
func Spell(material string) map[string]string {
	quoted, _ := json.Marshal(material)
	ways := map[string]string{
		"raw": material, "hex": hex.EncodeToString([]byte(material)), "URL": url.QueryEscape(material),
		"JSON": strings.Trim(string(quoted), `"`),
	}
	for shift := range 3 {
		// Base64 of material within a longer text, by how it falls onto the groups of three.
		whole := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + material))
		ways[fmt.Sprintf("base64, shifted by %d", shift)] = whole[4 : len(whole)-4]
		ways[fmt.Sprintf("base64url, shifted by %d", shift)] = strings.NewReplacer("+", "-", "/", "_").Replace(whole[4 : len(whole)-4])
	}
	return ways
}
