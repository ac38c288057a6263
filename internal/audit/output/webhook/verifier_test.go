package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// verify is a receiver's part of Standard Webhooks 1.0.0, written from its text alone:
// the secret is base64 behind whsec_, the content is {id}.{timestamp}.{payload}, the
// signatures are a list with spaces between, and the time is near.
func verify(secret string, header http.Header, payload []byte, now time.Time) error {
	raw, found := strings.CutPrefix(secret, "whsec_")
	if !found {
		return errors.New("no prefix")
	}
	key, err := base64.StdEncoding.DecodeString(raw)
	if err != nil {
		return err
	}
	id, stamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || id == "" || strings.Contains(id, ".") {
		return errors.New("no id or time")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > 5*time.Minute || age < -5*time.Minute {
		return errors.New("too far from now")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join([]string{id, stamp, string(payload)}, ".")))
	want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, signature := range strings.Split(header.Get("webhook-signature"), " ") {
		version, value, _ := strings.Cut(signature, ",")
		if version == "v1" && subtle.ConstantTimeCompare([]byte(value), []byte(want)) == 1 {
			return nil
		}
	}
	return errors.New("no signature matches")
}
