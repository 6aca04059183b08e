# shellcheck shell=bash
# The configuration and the store of an installed package.
mkdir -p "$DOCS_ROOT/etc/deployd" "$DOCS_ROOT/var/lib/deployd"
printf 'database = "sqlite:%s/var/lib/deployd/deployd.db"\n' "$DOCS_ROOT" >"$DOCS_ROOT/etc/deployd/deployd.toml"
deployd migrate --config "$DOCS_ROOT/etc/deployd/deployd.toml"
