# shellcheck shell=bash
# What every document's session has: programs that behave in a scratch directory as they do on the machine of a reader.
# $DOCS_ROOT stands for /, $DOCS_DEPLOYD is the program under test, $DOCS_PORT is used instead of 8080.

# Runs deployd. `serve` goes to the background once it serves, and replaces the one that served before, which a reader
# would have stopped with Ctrl-C.
deployd() {
  if [[ ${1:-} != serve ]]; then
    "$DOCS_DEPLOYD" "$@"
    return
  fi
  stop_deployd
  local log=$DOCS_ROOT/serve.log pid
  case " $* " in
    *" --config "* | *" --listen "*) (exec "$DOCS_DEPLOYD" "$@" >"$log" 2>&1 </dev/null & echo $! >"$DOCS_ROOT/serve.pid") ;;
    *) (DEPLOYD_LISTEN=127.0.0.1:$DOCS_PORT exec "$DOCS_DEPLOYD" "$@" >"$log" 2>&1 </dev/null & echo $! >"$DOCS_ROOT/serve.pid") ;;
  esac
  pid=$(<"$DOCS_ROOT/serve.pid")
  for _ in {1..1500}; do
    ! grep -q ' serves ' "$log" || return 0
    if ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.02
  done
  cat "$log"
  return 1
}

stop_deployd() {
  [[ -e $DOCS_ROOT/serve.pid ]] || return 0
  local pid
  pid=$(<"$DOCS_ROOT/serve.pid")
  rm "$DOCS_ROOT/serve.pid"
  kill "$pid" 2>/dev/null || return 0
  for _ in {1..500}; do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.02
  done
}

# runuser -u USER -- COMMAND...: runs the command as the user of the test.
runuser() {
  while [[ $1 != -- ]]; do shift; done
  shift
  "$@"
}

# Runs a command until it succeeds, at most for half a minute.
eventually() {
  local end=$((SECONDS + 30))
  until "$@"; do
    if ((SECONDS > end)); then
      echo "never: $*"
      return 1
    fi
    sleep 0.02
  done
}

# Creates the demo store deployd.db in the working directory.
demo_store() {
  awk -f "$DOCS_SOURCE/demo/make_demo_data.awk" | "$DOCS_DEPLOYD" import - >/dev/null
}

# The checks of configuration blocks: parts of a configuration are checked within a main file of the test.
check_nginx() {
  write_nginx_conf "$1"
  command nginx -t -q -c "$DOCS_ROOT/nginx.conf"
}

check_caddy() {
  write_caddyfile "$1"
  command caddy validate --adapter caddyfile --config "$DOCS_ROOT/Caddyfile"
}

check_haproxy() {
  write_haproxy_cfg "$1"
  # A certificate that a later command of the document creates is not there yet.
  ! command haproxy -c -q -f "$DOCS_ROOT/haproxy.cfg" 2>&1 | grep -v 'unable to stat SSL certificate' | grep ALERT
}

write_nginx_conf() {
  cat >"$DOCS_ROOT/nginx.conf" <<END
pid $DOCS_ROOT/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path $DOCS_ROOT/nginx-body;
  proxy_temp_path $DOCS_ROOT/nginx-proxy;
  fastcgi_temp_path $DOCS_ROOT/nginx-fastcgi;
  uwsgi_temp_path $DOCS_ROOT/nginx-uwsgi;
  scgi_temp_path $DOCS_ROOT/nginx-scgi;
  include $1;
}
END
}

write_caddyfile() {
  cat >"$DOCS_ROOT/Caddyfile" <<END
{
	admin off
	auto_https disable_redirects
	https_port $DOCS_PORT_443
}
import $1
END
}

write_haproxy_cfg() {
  { printf 'defaults\n    log stdout format raw local0\n    timeout connect 5s\n    timeout client 50s\n    timeout server 50s\n' && cat "$1"; } >"$DOCS_ROOT/haproxy.cfg"
}

# make_certificate FOLDER [NAME]: creates fullchain.pem and key.pem for NAME (deployd.example.com) in the folder, and ca.pem,
# which signed them, in the working directory.
make_certificate() {
  local name=${2:-deployd.example.com}
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=docs-ca \
    -keyout ca.key -out ca.pem
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
    -keyout "$1/key.pem" -out request.pem
  printf 'subjectAltName=DNS:%s\n' "$name" >extensions
  openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile extensions \
    -out "$1/fullchain.pem"
  rm ca.key request.pem extensions
}
