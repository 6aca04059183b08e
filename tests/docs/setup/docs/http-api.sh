# shellcheck shell=bash
# A server with the demo data, and a token.
demo_store
# shellcheck disable=SC2034
TOKEN=$(deployd token create --name docs)
deployd serve
