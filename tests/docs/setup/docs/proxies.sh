# shellcheck shell=bash
# Certificates and a deployd with a list that is streamed. `systemctl reload PROXY` starts the proxy in place of the one
# before, and checks what the document says of all proxies.
for proxy in nginx caddy haproxy; do
  mkdir -p "$DOCS_ROOT/etc/$proxy" "$DOCS_ROOT/var/log/$proxy"
done
make_certificate "$DOCS_ROOT/etc/nginx"
cp "$DOCS_ROOT"/etc/nginx/*.pem "$DOCS_ROOT/etc/caddy"
cp "$DOCS_ROOT"/etc/nginx/*.pem "$DOCS_ROOT/etc/haproxy"
export CURL_CA_BUNDLE=$PWD/ca.pem

demo_store
seq 100001 140000 | awk '{ printf "{\"deployment\":{\"id\":%d,\"pattern_id\":1,\"name\":\"a long list, row %d\"}}\n", $1, $1 }' |
  deployd import -
TOKEN=$(deployd token create --name docs)

serve() {
  deployd serve --listen "127.0.0.1:$DOCS_PORT" --admin-listen "127.0.0.1:$DOCS_PORT_9090" --access-log json
}
serve

systemctl() {
  [[ $1 == reload ]]
  stop_proxy
  "run_$2" >"$DOCS_ROOT/proxy.out" 2>&1 &
  echo $! >"$DOCS_ROOT/proxy.pid"
  disown
  check_proxy
}

stop_proxy() {
  [[ -e $DOCS_ROOT/proxy.pid ]] || return 0
  kill "$(<"$DOCS_ROOT/proxy.pid")"
  while kill -0 "$(<"$DOCS_ROOT/proxy.pid")" 2>/dev/null; do sleep 0.02; done
}

# The commands of the document read a main file of the test, which includes what the document saves.
nginx() {
  write_nginx_conf "$DOCS_ROOT/etc/nginx/conf.d/deployd.conf"
  command nginx -c "$DOCS_ROOT/nginx.conf" "$@"
}

caddy() {
  write_caddyfile "$DOCS_ROOT/etc/caddy/Caddyfile"
  command caddy validate --adapter caddyfile --config "$DOCS_ROOT/Caddyfile"
}

haproxy() {
  write_haproxy_cfg "$DOCS_ROOT/etc/haproxy/haproxy.cfg"
  command haproxy -c -f "$DOCS_ROOT/haproxy.cfg"
}

run_nginx() { exec nginx -c "$DOCS_ROOT/nginx.conf" -g 'daemon off;'; }
run_caddy() { exec caddy run --adapter caddyfile --config "$DOCS_ROOT/Caddyfile"; }
run_haproxy() { exec haproxy -db -f "$DOCS_ROOT/haproxy.cfg"; }

ask() {
  curl -H "Authorization: Bearer $TOKEN" "$@"
}

check_proxy() {
  local api=https://deployd.example.com/api/v1/deployments before after id
  wait_for_proxy

  # Connections to deployd are kept.
  before=$(accepted)
  for _ in {1..15}; do ask "$api/1" >/dev/null; done
  after=$(accepted)
  [[ $((after - before)) -lt 5 ]]

  # A streamed list arrives whole.
  ask "$api" >through-proxy.json
  ask "http://127.0.0.1:$DOCS_PORT/api/v1/deployments" | cmp - through-proxy.json

  # Metrics are not an address of the API.
  [[ $(status_of https://deployd.example.com/metrics) == 404 ]]

  # A token of 12 KB reaches deployd, which refuses it.
  [[ $(status_of "$api/1" -H "Authorization: Bearer $(head -c 9000 /dev/zero | base64 --wrap 0)") == 401 ]]

  # The logs of deployd and of the proxy have the same id.
  eventually grep '"target":"/metrics"' "$DOCS_ROOT/serve.log"
  id=$(grep '"target":"/metrics"' "$DOCS_ROOT/serve.log" | tail -1 | sed 's/.*"request_id":"\([^"]*\)".*/\1/')
  eventually grep -rh -- "$id" "$DOCS_ROOT/proxy.out" "$DOCS_ROOT/var/log"

  # Without deployd the answer is JSON.
  stop_deployd
  [[ $(BODY=body status_of "$api/1" -D headers) == 503 ]]
  grep -i '^content-type: application/json; charset=utf-8' headers
  grep -i '^retry-after: 1' headers
  jq --exit-status '.className == "unavailable" and .code == 503' body
  serve
  wait_for_proxy
}

# Proxies leave out a server that was away for a moment.
wait_for_proxy() {
  eventually curl https://deployd.example.com/healthz
}

# status_of URL [OUTPUT OPTIONS]
status_of() { curl -w '%{http_code}' "${@:2}" "$1" -o "${BODY:-/dev/null}" || true; }

accepted() { curl "http://127.0.0.1:$DOCS_PORT_9090/metrics" | awk '/^deployd_connections_accepted_total/ { print $2 }'; }
