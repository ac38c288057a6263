package layout

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

const (
	// MaxKeyBytes bounds what one key of the Secret says, and every value that a
	// template works with on the way.
	MaxKeyBytes = 64 << 10
	// MaxSecretBytes bounds all keys and what they say. Kubernetes takes 1 MiB.
	MaxSecretBytes = 512 << 10
	// MaxTemplates bounds the keys of a template shape.
	MaxTemplates = 32
	// MaxTemplateRunes bounds the text of one template.
	MaxTemplateRunes = 4096
)

// Preset is a ready-made shape. The words are the API's.
type Preset string

// The presets.
const (
	// Files is one key per field, to be mounted as a directory.
	Files Preset = "Files"
	// Environment is names in capitals, for envFrom.
	Environment Preset = "Environment"
	// ServiceBinding is the entries of the Service Binding specification's type oauth2.
	ServiceBinding Preset = "ServiceBinding"
)

// Shape is how a Secret is laid out: by a preset or by templates, not by both. The
// empty shape is the preset Files.
type Shape struct {
	Preset Preset
	// Template maps the keys of the Secret to Go templates: MaxTemplates of them at
	// most, each of MaxTemplateRunes at most.
	Template map[string]string
}

// Types of Secrets. The type of a Secret that exists cannot be changed.
const (
	typeOpaque         = "Opaque"
	typeServiceBinding = "servicebinding.io/oauth2"
)

// SecretType is the type that a Secret of that shape has.
func SecretType(shape Shape) string {
	if shape.Preset == ServiceBinding && len(shape.Template) == 0 {
		return typeServiceBinding
	}
	return typeOpaque
}

// Check tells what is wrong with a shape whoever the agent is: syntax, functions that
// do not exist, fields that a key of that delivery does not have, bounds. It lays the
// Secret out once with a made-up credential, so it needs no real one.
//
// What depends on the values themselves, such as text that is not base64, is told by
// Render only.
func Check(shape Shape, delivery Delivery) error {
	fields, err := sample(delivery)
	if err != nil {
		return fmt.Errorf("checking the shape of a Secret: %w", err)
	}
	_, err = Render(shape, fields)
	var mistake *fault
	if errors.As(err, &mistake) && mistake.byValue {
		return nil
	}
	return err
}

// Render lays out the Secret. Two calls with equal arguments give equal bytes.
func Render(shape Shape, fields Fields) (map[string][]byte, error) {
	opened, err := fields.open()
	if err != nil {
		return nil, fmt.Errorf("laying out a Secret: %w", err)
	}
	data, err := shape.fill(opened)
	if err != nil {
		return nil, fmt.Errorf("laying out a Secret: %w", err)
	}
	if err := fits(data); err != nil {
		return nil, fmt.Errorf("laying out a Secret: %w", err)
	}
	return data, nil
}

func (s Shape) fill(opened opened) (map[string][]byte, error) {
	switch {
	case len(s.Template) > 0 && s.Preset != "":
		return nil, errors.New("it has a template and a preset; give one of them")
	case len(s.Template) > 0:
		return fillTemplates(s.Template, opened)
	default:
		return fillPreset(s.preset(), opened)
	}
}

// preset is the one in force when there is no template.
func (s Shape) preset() Preset {
	if s.Preset == "" {
		return Files
	}
	return s.Preset
}

func fits(data map[string][]byte) error {
	total := 0
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if len(data[key]) > MaxKeyBytes {
			return &fault{key: key, problem: tooLarge()}
		}
		total += len(key) + len(data[key])
	}
	if total > MaxSecretBytes {
		return fmt.Errorf("all keys together are larger than %d KiB", MaxSecretBytes>>10)
	}
	return nil
}

// Material finds the credential in the data of a Secret of that shape and delivery:
// the private key in PEM, or the client secret. It is not found, and ok is false, when
// the data has none; when the shape is a template, which may have turned it into
// anything; and with delivery AccessToken, for a token is not what the client
// authenticates with. Whoever needs it then has the staging Secret or nothing.
func Material(shape Shape, delivery Delivery, data map[string][]byte) (material []byte, ok bool) {
	if len(shape.Template) > 0 {
		return nil, false
	}
	for _, entry := range entries() {
		if key := entry.key(shape.preset()); key != "" && entry.field == delivery.credential() {
			material = data[key]
		}
	}
	return material, len(material) > 0
}
