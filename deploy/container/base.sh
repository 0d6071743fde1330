#!/bin/sh
# Make a base image of Debian's own packages, where no image registry is reached: base.sh [NAME]
# Debian 12 with python3, from the archive or the mirror that mmdebstrap is told (MIRROR).
set -eu
name=${1:-localhost/credit-gateway-base}
archive=$(mktemp --suffix=.tar)
trap 'rm -f "$archive"' EXIT
mmdebstrap --quiet --variant=minbase --include=python3,ca-certificates \
    bookworm "$archive" ${MIRROR:+"$MIRROR"}
container=$(buildah from scratch)
buildah add --quiet "$container" "$archive" / > /dev/null
buildah commit --quiet "$container" "$name" > /dev/null
buildah rm "$container" > /dev/null
