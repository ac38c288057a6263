package main

import (
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

type plugin struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   map[string]string `json:"metadata"`
	Spec       pluginSpec        `json:"spec"`
}

type pluginSpec struct {
	Version          string           `json:"version"`
	Homepage         string           `json:"homepage"`
	ShortDescription string           `json:"shortDescription"`
	Description      string           `json:"description"`
	Caveats          string           `json:"caveats"`
	Platforms        []pluginPlatform `json:"platforms"`
}

type pluginPlatform struct {
	Selector struct {
		MatchLabels map[string]string `json:"matchLabels"`
	} `json:"selector"`
	URI    string              `json:"uri"`
	SHA256 string              `json:"sha256"`
	Bin    string              `json:"bin"`
	Files  []map[string]string `json:"files"`
}

// krew writes what kubectl krew install reads: where the plugin's archives are and what they must hash to.
func (r *release) krew(all []built) error {
	p := plugin{
		APIVersion: "krew.googlecontainertools.github.com/v1alpha2", Kind: "Plugin", Metadata: map[string]string{"name": "agentid"},
		Spec: pluginSpec{
			Version: r.Version, Homepage: r.Home,
			ShortDescription: "See, rotate and cut off the Okta identities of AI agents",
			Description: "Shows the roles, keys and policies of AI agents that agent-identity-operator keeps in Okta,\n" +
				"asks for new credentials, cuts keys off, and reads the audit log. It acts with your own\n" +
				"kubeconfig, and never reads a Secret.\n",
			Caveats: "The cluster needs agent-identity-operator; \"logs\" needs an API token of your own for Okta.\n",
		},
	}
	for _, b := range all {
		if b.Name != "kubectl-agentid" {
			continue
		}
		sum, err := sumOf(filepath.Join(r.To, r.archive(b.program)))
		if err != nil {
			return err
		}
		platform := pluginPlatform{
			URI:    r.Home + "/releases/download/" + r.Version + "/" + r.archive(b.program),
			SHA256: sum, Bin: b.file(),
			Files: []map[string]string{{"from": b.file(), "to": "."}, {"from": "LICENSE", "to": "."}},
		}
		platform.Selector.MatchLabels = map[string]string{"os": b.OS, "arch": b.Arch}
		p.Spec.Platforms = append(p.Spec.Platforms, platform)
	}
	text, err := yaml.Marshal(p)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.To, "agentid.yaml"), text, 0o644)
}
