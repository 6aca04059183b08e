# shellcheck shell=bash
# shellcheck disable=SC2103
# A deployd with the demo data stands for the hosted service, with a certificate for its name.
mkdir hosted
cd hosted || exit
make_certificate . app.metakraftwerk.com
demo_store
# shellcheck disable=SC2034
HOSTED_TOKEN=$(deployd token create --name docs)
"$DOCS_DEPLOYD" serve --listen "127.0.0.1:$DOCS_PORT_443" --tls-cert fullchain.pem --tls-key key.pem >serve.log 2>&1 &
disown
eventually grep ' serves ' serve.log
export CURL_CA_BUNDLE=$PWD/ca.pem
echo "connect-to = \"app.metakraftwerk.com:443:127.0.0.1:$DOCS_PORT_443\"" >>"$HOME/.curlrc"
cd .. || exit
