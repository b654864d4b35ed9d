#!/bin/sh
# Images carried in a file from a registry that is connected to one that is not, where both are data directories here.
# With servers it is the same, with --url and a key of the account.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ecru() { bin/ecru "$@"; }
mkdir "$work/inside" "$work/outside"

# An image made from nothing, as `docker save` writes it: one layer that holds one file.
save() {
  mkdir -p "$work/image" && echo "$1" >"$work/image/hello.txt" && tar -C "$work/image" -cf "$work/image/layer.tar" hello.txt
  id=$(sha256sum "$work/image/layer.tar" | cut -d' ' -f1)
  printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$id" >"$work/image/config.json"
  printf '[{"Config":"config.json","RepoTags":["team/hello:%s"],"Layers":["layer.tar"]}]' "$2" >"$work/image/manifest.json"
  tar -C "$work/image" -cf "$work/saved.tar" manifest.json config.json layer.tar
}

save 'first' v1
ecru import "$work/saved.tar" --data-dir "$work/outside" >"$work/log"
ecru export "$work/carried" --all --data-dir "$work/outside" >"$work/log"
ecru import "$work/carried" --data-dir "$work/inside"

# Later: only what is new is copied, into the layout and out of it.
echo
save 'second' v2
ecru import "$work/saved.tar" --data-dir "$work/outside" >"$work/log"
ecru export "$work/carried" --all --data-dir "$work/outside" >"$work/log"
ecru import "$work/carried" --data-dir "$work/inside"
