#!/bin/sh
# The way of an image through a registry: repository, login, push, look, pull. Everything here works at AWS, too.
# Starts an Ecru of its own in memory, on port 4599, and stops it at the end.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
export ECRU_PORT=4599

bin/ecru serve --memory >"$work/ecru.log" 2>&1 &
registry=$!
trap 'kill $registry; wait $registry 2>/dev/null || true; rm -rf "$work"' EXIT
until curl --silent --fail --output /dev/null "http://127.0.0.1:$ECRU_PORT/_ecru/ready"; do sleep 0.1; done

# What AWS tools need to know. With an unmodified pipeline this is the only change.
eval "$(bin/ecru env --url "http://127.0.0.1:$ECRU_PORT")"

# An image made from nothing: one layer that holds one file.
mkdir -p "$work/image/blobs/sha256" && echo 'hello from Ecru' >"$work/hello.txt"
put() { digest=$(sha256sum "$1" | cut -d' ' -f1) && cp "$1" "$work/image/blobs/sha256/$digest" && size=$(wc -c <"$1"); }
tar -C "$work" -cf "$work/layer.tar" hello.txt && diff_id=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
gzip -n "$work/layer.tar" && put "$work/layer.tar.gz" && layer=$digest layer_size=$size
printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$diff_id" >"$work/config.json"
put "$work/config.json" && config=$digest config_size=$size
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%s","size":%s}]}' \
  "$config" "$config_size" "$layer" "$layer_size" >"$work/manifest.json"
put "$work/manifest.json"
printf '{"imageLayoutVersion":"1.0.0"}' >"$work/image/oci-layout"
printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"v1"}}]}' \
  "$digest" "$size" >"$work/image/index.json"

uri=$(aws ecr create-repository --repository-name team/hello --image-tag-mutability IMMUTABLE --query repository.repositoryUri --output text)
echo "repository  $uri"

export REGISTRY_AUTH_FILE="$work/auth.json"
aws ecr get-login-password | skopeo login --tls-verify=false --username AWS --password-stdin "${uri%%/*}"

skopeo --insecure-policy copy --quiet --dest-tls-verify=false "oci:$work/image:v1" "docker://$uri:v1"
aws ecr describe-images --repository-name team/hello --query 'imageDetails[].[imageTags[0],imageDigest,imageSizeInBytes]' --output text

# The repository is immutable: for every client, and whichever interface it uses.
if skopeo --insecure-policy copy --quiet --dest-tls-verify=false "oci:$work/image:v1" "docker://$uri:v1" 2>"$work/refusal"; then
  echo 'an immutable tag was moved' >&2
  exit 1
fi
sed -n "s/.*\(The image tag '[^']*' already [^.]*\.\).*/\1/p" "$work/refusal" | head -n 1

skopeo --insecure-policy copy --quiet --src-tls-verify=false "docker://$uri:v1" "dir:$work/pulled"
tar -xzOf "$work/pulled/$layer" hello.txt
