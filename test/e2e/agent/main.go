// Command agent is an agent of the end-to-end test: it runs the sample program that obtains a
// token, as docs/examples has it, again and again. How it fares the org knows.
package main

import (
	"os"
	"os/exec"
	"time"
)

func main() {
	pause := time.NewTicker(300 * time.Millisecond)
	for range pause.C {
		ask := exec.Command("/token", "/var/run/secrets/okta", "interact_with_chatbot")
		ask.Stdout, ask.Stderr = os.Stdout, os.Stderr
		_ = ask.Run()
	}
}
