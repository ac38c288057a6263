// Command client calls an API as an agent does: with access tokens for the credential in
// a mounted AgentAPIKey Secret, whatever becomes of that credential meanwhile. It calls
// URL once for each line of its input and prints what the API answers.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

func main() {
	early := flag.Duration("early", time.Minute, "how long before a token expires another is asked for")
	flag.Parse()
	if flag.NArg() != 3 {
		log.Fatal("usage: client [--early DURATION] DIRECTORY SCOPES URL")
	}
	tokens := &mounted{directory: flag.Arg(0), scopes: flag.Arg(1), http: &http.Client{Timeout: 10 * time.Second}}
	// The program's other parts use this client and hear nothing of tokens.
	client := oauth2.NewClient(context.Background(), oauth2.ReuseTokenSourceWithExpiry(nil, tokens, *early))
	client.Timeout = 30 * time.Second
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		answer, err := call(client, flag.Arg(2))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer)
	}
}

func call(client *http.Client, url string) (string, error) {
	response, err := client.Get(url)
	if err != nil {
		return "", fmt.Errorf("calling the API: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("reading the API's answer: %w", err)
	}
	return response.Status + " " + strings.TrimSpace(string(body)), nil
}
