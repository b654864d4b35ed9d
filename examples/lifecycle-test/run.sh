#!/bin/sh
# A test of a lifecycle policy: two days pass in a moment, because the clock of a registry in the dev profile can be moved.
# Starts an Ecru of its own in memory, on port 4598, and stops it at the end.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
export ECRU_PORT=4598 ECRU_MEMORY=true
ecru() { bin/ecru "$@" --url "http://127.0.0.1:$ECRU_PORT"; }

bin/ecru serve >"$work/ecru.log" 2>&1 &
registry=$!
trap 'kill $registry; wait $registry 2>/dev/null || true; rm -rf "$work"' EXIT
until curl --silent --fail --output /dev/null "http://127.0.0.1:$ECRU_PORT/_ecru/ready"; do sleep 0.1; done
eval "$(ecru env)"
export REGISTRY_AUTH_FILE="$work/auth.json"

# An image of a configuration and no layer.
image="$work/image" && mkdir -p "$image/blobs/sha256"
put() { digest=$(sha256sum "$1" | cut -d' ' -f1) && size=$(wc -c <"$1") && cp "$1" "$image/blobs/sha256/$digest"; }
printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}' >"$work/config.json" && put "$work/config.json"
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[]}' \
  "$digest" "$size" >"$work/manifest.json" && put "$work/manifest.json"
printf '{"imageLayoutVersion":"1.0.0"}' >"$image/oci-layout"
printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s}]}' "$digest" "$size" >"$image/index.json"

login() { aws ecr get-login-password | skopeo login --tls-verify=false --username AWS --password-stdin "127.0.0.1:$ECRU_PORT" >/dev/null; }
push() { skopeo --insecure-policy copy --quiet --dest-tls-verify=false "oci:$image" "docker://127.0.0.1:$ECRU_PORT/nightly:$1"; }
tags() { aws ecr list-images --repository-name nightly --query 'imageIds[].imageTag' --output text; }
fail() { echo "$1" >&2 && exit 1; }

aws ecr create-repository --repository-name nightly --output text >/dev/null
aws ecr put-lifecycle-policy --repository-name nightly --output text --lifecycle-policy-text '{"rules": [{
  "rulePriority": 1,
  "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1},
  "action": {"type": "expire"}
}]}' >/dev/null
login && push monday
echo "pushed: $(tags)"

# Two days later. The answer comes when the policies that are due by then were executed.
ecru clock --advance 2d
[ -z "$(tags)" ] || fail 'the image should have expired'
echo 'monday has expired'

# Passwords of get-login-password live for 12 hours, as they do at AWS.
push wednesday 2>/dev/null && fail 'the login should have expired'
login && push wednesday
ecru clock --advance 12h >/dev/null
[ "$(tags)" = wednesday ] || fail 'an image of half a day should be there'
echo 'wednesday is still there'

# The next test begins with nothing.
ecru reset --yes
aws ecr describe-repositories --query 'length(repositories)' --output text
