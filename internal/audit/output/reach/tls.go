package reach

import (
	"crypto/tls"
	"errors"
)

// TLS is the configuration to speak with: a copy of config with TLS 1.2 or newer.
// One that does not verify certificates is an error.
func TLS(config *tls.Config) (*tls.Config, error) {
	if config == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12}, nil
	}
	if config.InsecureSkipVerify {
		return nil, errors.New("configuring TLS: certificates are always verified")
	}
	config = config.Clone()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.KeyLogWriter = nil
	return config, nil
}
