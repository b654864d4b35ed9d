#!/bin/sh
# A receiver of signed webhooks, told of what happens in a registry. Starts both by itself, the registry in memory, and stops them at the end.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
export ECRU_PORT=4597 ECRU_MEMORY=true PATH="$PWD/node_modules/.bin:$PATH"
# The receiver is on this machine, and without TLS: what webhooks of accounts may not reach otherwise.
export ECRU_EVENTS_ALLOW_PRIVATE=true ECRU_EVENTS_ALLOW_HTTP=true
receiver=http://127.0.0.1:4596/registry
ecru() { bun src/main.ts "$@" --url "http://127.0.0.1:$ECRU_PORT"; }
fail() { echo "$1" >&2 && exit 1; }

bun src/main.ts serve >"$work/ecru.log" 2>&1 &
started=$!
trap 'kill $started; wait $started 2>/dev/null || true; rm -rf "$work"' EXIT
until curl --silent --fail --output /dev/null "http://127.0.0.1:$ECRU_PORT/_ecru/ready"; do sleep 0.1; done
eval "$(ecru env)"

WEBHOOK_SECRET=$(ecru events secret) PORT=4596 python3 examples/webhook/receiver.py >"$work/received" &
started="$started $!"
until curl --silent --output /dev/null "$receiver"; do sleep 0.1; done

aws events put-rule --name everything --event-pattern '{"source": ["aws.ecr"]}' >"$work/log"
aws events put-targets --rule everything --targets "Id=receiver,Arn=arn:aws:ecru:us-east-1:000000000000:webhook/$receiver" >"$work/log"
aws ecr create-repository --repository-name team/app >"$work/log"
until [ -s "$work/received" ]; do sleep 0.1; done
cat "$work/received"

# Whoever does not know the secret is not believed.
status=$(curl --silent --output /dev/null --write-out '%{http_code}' --data '{"detail-type": "made up", "detail": {}}' \
  --header "ecru-event-id: 1" --header "ecru-signature: t=$(date +%s),v1=$(printf x | sha256sum | cut -d' ' -f1)" "$receiver")
[ "$status" = 403 ] || fail "what is forged was answered with $status"
[ "$(wc -l <"$work/received")" -eq 1 ] || fail 'what is forged should not count'
echo 'what is forged is refused'
