#!/bin/sh
# Build, without any image registry, the three base images that docker-compose.yml takes as variables:
#   shuheng-base (Debian bookworm with Python 3.11)  shuheng-postgres  shuheng-redis
# As root; needs debootstrap and a Docker engine (DOCKER_HOST). Usage: build_images.sh WORK_DIR
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${1:?give a folder with 2 GB of space, for instance /tmp/images}
mkdir -p "$work"
if [ ! -e "$work/root/etc/debian_version" ]; then
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates,curl bookworm "$work/root" >"$work/debootstrap.log"
fi
# Behind a proxy with a certificate of its own, the build needs the certificates that this machine trusts.
cp /etc/ssl/certs/ca-certificates.crt "$work/root/etc/ssl/certs/ca-certificates.crt"
rm -rf "$work/root/var/cache/apt/archives/"*.deb
tar -C "$work/root" -c . | docker import \
    --change "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt LANG=C.UTF-8" \
    - shuheng-base:local >/dev/null
for name in postgres redis; do
    DOCKER_BUILDKIT=0 docker build --quiet --network host --file "$here/$name.Dockerfile" --tag "shuheng-$name:local" "$here" >/dev/null
done
docker image ls --format '{{.Repository}}:{{.Tag}} {{.Size}}' | grep '^shuheng-'
