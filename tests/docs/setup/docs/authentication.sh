# shellcheck shell=bash
# A configuration with a secret, and a token signed with it.
mkdir -p "$DOCS_ROOT/etc/deployd"
(umask 077 && openssl rand -base64 32 >"$DOCS_ROOT/etc/deployd/secret")
printf 'jwt-secret-file = "secret"\njwt-audience = "deployd"\n' >"$DOCS_ROOT/etc/deployd/deployd.toml"
deployd migrate
# shellcheck disable=SC2094
deployd token sign --config "$DOCS_ROOT/etc/deployd/deployd.toml" --subject jane >token
