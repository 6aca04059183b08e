# shellcheck shell=bash
# What GitHub provides to steps.
export GITHUB_OUTPUT=$DOCS_ROOT/github-output
