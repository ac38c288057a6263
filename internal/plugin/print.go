package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"

	"sigs.k8s.io/yaml"
)

// The formats of output.
const (
	formatTable = "table"
	formatJSON  = "json"
	formatYAML  = "yaml"
	formatName  = "name"
)

// list is what -o json and -o yaml print of several things.
type list[T any] struct {
	Items []T `json:"items"`
}

// printValue prints v in the format that is not the verb's own table.
func (p *plugin) printValue(v any) error {
	text, err := encode(v, "  ")
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	if p.flags.output == formatYAML {
		if text, err = asYAML(text); err != nil {
			return err
		}
	}
	_, err = p.Streams.Out.Write(text)
	return err
}

// encode writes JSON that does nothing to a terminal.
func encode(v any, indent string) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return escaped(out.Bytes()), nil
}

// asYAML writes JSON as YAML. YAML writes some characters as they are that a terminal
// must not get, so they are marked here.
func asYAML(text []byte) ([]byte, error) {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("writing YAML: %w", err)
	}
	marked, err := json.Marshal(cleaned(value))
	if err != nil {
		return nil, fmt.Errorf("writing YAML: %w", err)
	}
	return yaml.JSONToYAML(marked)
}

func cleaned(value any) any {
	switch v := value.(type) {
	case string:
		return lines(v)
	case []any:
		for i := range v {
			v[i] = cleaned(v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for key, member := range v {
			clean[plain(key)] = cleaned(member)
		}
		return clean
	}
	return value
}
