"""Obtain an access token from the files of a mounted AgentAPIKey Secret.

Needs PyJWT and cryptography. Usage: agent_token.py DIRECTORY SCOPES
"""
import json, pathlib, sys, time, urllib.error, urllib.parse, urllib.request, uuid

import jwt


def token(directory, scopes):
    files = {f.name: f.read_text() for f in pathlib.Path(directory).iterdir() if f.is_file()}
    now = int(time.time())
    assertion = jwt.encode(
        {"iss": files["client_id"], "sub": files["client_id"], "aud": files["token_url"],
         "iat": now, "exp": now + 60, "jti": str(uuid.uuid4())},
        files["private_key.pem"], algorithm="ES256", headers={"kid": files["key_id"]})
    form = urllib.parse.urlencode({
        "grant_type": "client_credentials", "scope": scopes, "client_assertion": assertion,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"})
    request = urllib.request.Request(files["token_url"], form.encode(), {"Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["access_token"]
    except urllib.error.HTTPError as refusal:
        sys.exit(f"the token is refused: {json.load(refusal)['error']}")


if __name__ == "__main__":
    claims = jwt.decode(token(sys.argv[1], sys.argv[2]), options={"verify_signature": False})
    print(claims["cid"], claims["scp"])
