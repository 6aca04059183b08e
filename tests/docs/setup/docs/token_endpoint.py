"""A token endpoint of any provider, over HTTPS: token_endpoint.py PORT CERTIFICATE KEY TOKEN_FILE

Answers a request with the grant type client_credentials and the parameter that the provider needs.
"""
import base64
import http.server
import json
import ssl
import sys
import urllib.parse

PORT, CERTIFICATE, KEY, TOKEN_FILE = sys.argv[1:]
with open(TOKEN_FILE, encoding="ascii") as file:
    TOKEN = file.read().strip()
# Part of the host name, path and a parameter besides id and secret.
PROVIDERS = [
    ("keycloak.", "/realms/main/protocol/openid-connect/token", None),
    ("login.microsoftonline.com", "/8f6e1b0c-0000-4000-8000-000000000001/oauth2/v2.0/token", "scope"),
    (".auth0.com", "/oauth/token", "audience"),
    (".okta.com", "/oauth2/default/v1/token", "scope"),
    (".hana.ondemand.com", "/oauth/token", None),
]


class Endpoint(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        scheme, _, basic = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            form["client_id"], _, form["client_secret"] = base64.b64decode(basic).decode().partition(":")
        good = (form.get("grant_type"), form.get("client_id"), form.get("client_secret")) == (
            "client_credentials",
            "pipeline",
            "a secret & more",
        ) and any(
            host in self.headers["Host"] and path == self.path and (parameter is None or parameter in form)
            for host, path, parameter in PROVIDERS
        )
        body = json.dumps({"access_token": TOKEN, "token_type": "Bearer"} if good else {"error": "invalid_request"}).encode()
        self.send_response(200 if good else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(PORT)), Endpoint)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
