# shellcheck shell=bash
# A store with a pattern and twenty deployments, and no token.
seq 20 | awk 'BEGIN { print "{\"pattern\":{\"id\":1,\"name\":\"CORE_DV_HLS\"}}" }
  { printf "{\"deployment\":{\"id\":%d,\"pattern_id\":1,\"name\":\"to %d\"}}\n", $1, $1 }' | deployd import -
