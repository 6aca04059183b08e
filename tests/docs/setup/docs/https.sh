# shellcheck shell=bash
# A certificate authority, a certificate of it, a store and a token.
mkdir -p "$DOCS_ROOT/etc/deployd"
make_certificate "$DOCS_ROOT/etc/deployd"
demo_store
# shellcheck disable=SC2034
TOKEN=$(deployd token create --name docs)
