# shellcheck shell=bash
# The demo store of `./dev run`, served.
mkdir -p build/demo
demo_store
deployd token create --name demo >build/demo/token
deployd serve
