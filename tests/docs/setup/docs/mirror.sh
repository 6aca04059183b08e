# shellcheck shell=bash
# A server with a pattern and twenty deployments, and a token for it.
seq 20 | awk 'BEGIN { print "{\"pattern\":{\"id\":1,\"name\":\"CORE_DV_HLS\"}}" }
  { printf "{\"deployment\":{\"id\":%d,\"pattern_id\":1,\"name\":\"to %d\"}}\n", $1, $1 }' | deployd import -
(umask 077 && deployd token create --name mirror >./token)
deployd serve
