"""Call an API as an agent does: with access tokens for the credential in a mounted AgentAPIKey Secret,
whatever becomes of that credential meanwhile. Calls URL once for each line of its input and prints the answer.

Needs PyJWT and cryptography. Usage: agent_client.py DIRECTORY SCOPES URL [EARLY-SECONDS]
"""
import base64, json, pathlib, sys, threading, time, urllib.error, urllib.parse, urllib.request, uuid

import jwt


class Refused(Exception):
    """Okta does not take the credential."""


class Tokens:
    """Access tokens, each used until shortly (early, in seconds) before it expires. For many threads."""

    def __init__(self, directory, scopes, early=60):
        self.directory, self.scopes, self.early = pathlib.Path(directory), scopes, early
        self.lock, self.token, self.expires = threading.Lock(), None, 0.0

    def get(self):
        with self.lock:
            if time.monotonic() >= self.expires - self.early:
                try:
                    self.token, self.expires = self._ask()
                except Refused:  # it may have ended just after it was read: read again, once
                    self.token, self.expires = self._ask()
            return self.token

    def _file(self, name):
        return (self.directory / name).read_text()

    def _ask(self):
        # The files are read each time, for they may have been replaced.
        client_id, token_url = self._file("client_id"), self._file("token_url")
        form = {"grant_type": "client_credentials", "scope": self.scopes}
        headers = {"Accept": "application/json"}
        if (self.directory / "client_secret").exists():  # delivery ClientSecret
            pair = ":".join(urllib.parse.quote_plus(part) for part in (client_id, self._file("client_secret")))
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:  # delivery PrivateKeyJWT; jwk has the key and its id, both from before a rotation or both from after it
            key, now = jwt.PyJWK.from_json(self._file("jwk")), int(time.time())
            form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            form["client_assertion"] = jwt.encode(
                {"iss": client_id, "sub": client_id, "aud": token_url, "iat": now, "exp": now + 60, "jti": str(uuid.uuid4())},
                key.key, algorithm="ES256", headers={"kid": key.key_id})
        asked = time.monotonic()
        try:
            with urllib.request.urlopen(
                    urllib.request.Request(token_url, urllib.parse.urlencode(form).encode(), headers), timeout=10) as answer:
                granted = json.load(answer)
        except urllib.error.HTTPError as refusal:
            error = json.load(refusal)["error"]
            if refusal.code == 401 and error == "invalid_client":
                raise Refused(error) from None
            raise RuntimeError(f"the token is refused: {refusal.code} {error}") from None
        return granted["access_token"], asked + granted["expires_in"]


def call(tokens, url):
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + tokens.get()})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return f"{answer.status} {answer.reason} {answer.read().decode().strip()}"


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit("usage: agent_client.py DIRECTORY SCOPES URL [EARLY-SECONDS]")
    agent = Tokens(sys.argv[1], sys.argv[2], float(sys.argv[4]) if len(sys.argv) == 5 else 60)
    for _ in sys.stdin:
        print(call(agent, sys.argv[3]), flush=True)
