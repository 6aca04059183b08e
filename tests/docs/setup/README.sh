# shellcheck shell=bash
# `./dev run` is not run. It leaves a demo store and a token in build/demo, and serves them.
mkdir -p build/demo
(cd build/demo && demo_store)
deployd token create --database sqlite:build/demo/deployd.db --name demo >build/demo/token
deployd serve --database sqlite:build/demo/deployd.db
