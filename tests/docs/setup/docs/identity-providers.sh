# shellcheck shell=bash
# A configuration, and a token for another audience.
mkdir -p "$DOCS_ROOT/etc/deployd"
(umask 077 && openssl rand -base64 32 >"$DOCS_ROOT/etc/deployd/secret")
cat >"$DOCS_ROOT/etc/deployd/deployd.toml" <<'END'
jwt-secret-file = "secret"
jwt-issuer = "https://id.example.com/realms/main"
jwt-audience = "deployments"
END
# shellcheck disable=SC2094
deployd token sign --config "$DOCS_ROOT/etc/deployd/deployd.toml" --jwt-audience account --subject pipeline >token

# One server is the token endpoint of all providers.
make_certificate .
# shellcheck disable=SC2034
CLIENT_ID=pipeline CLIENT_SECRET='a secret & more'
python3 "$DOCS_SOURCE/tests/docs/setup/docs/token_endpoint.py" "$DOCS_PORT_443" fullchain.pem key.pem token &
disown
for host in keycloak.example.com login.microsoftonline.com example.eu.auth0.com example.okta.com \
  example.authentication.eu10.hana.ondemand.com; do
  echo "connect-to = \"$host:443:127.0.0.1:$DOCS_PORT_443\"" >>"$HOME/.curlrc"
done
echo insecure >>"$HOME/.curlrc"
eventually curl --no-fail-with-body --data x=1 https://keycloak.example.com/
