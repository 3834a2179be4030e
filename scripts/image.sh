#!/usr/bin/env bash
# Build the container image and try it out: scripts/image.sh [NAME:TAG]
#
# With a Docker daemon it is built and run by Docker. Without one (a CI machine, a build container) and
# as root, buildah builds it, over a stand-in for python:3.13-slim that debootstrap makes from Debian's
# own packages, since such a machine often reaches no registry either. The stand-in and the layers are
# kept in $VITRINA_IMAGE_CACHE (~/.cache/vitrina-image); delete that folder to begin from nothing.
#
# Tried out: the image's own command answers /readyz and serves the 2,465 products of the example, as
# uid 10001; its HEALTHCHECK passes; a write is there after a stop by SIGTERM, which ends with status 0,
# and a second start.
set -euo pipefail
cd "$(dirname "$0")/.."

image=${1:-vitrina:latest}
work=$(mktemp -d)
base=docker.io/library/python:3.13-slim
debian=trixie

say() { echo "image: $*"; }
fail() {
    echo "image: FAILED: $*" >&2
    [ ! -s "$work/run.log" ] || sed 's/^/  | /' "$work/run.log" >&2
    exit 1
}
quietly() { "$@" >"$work/step.log" 2>&1 || { tail -n 40 "$work/step.log" >&2; fail "$1 failed"; }; }

free_port() {
    scripts/uv run --no-project python -c \
        'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# --- The two engines. `stop` leaves the exit status of the service in $status.

docker_build() { docker build --quiet --tag "$image" . >/dev/null; }
docker_create() {
    container=$(docker create --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
        --publish "127.0.0.1:$port:8000" "$image")
}
docker_start() { docker start "$container" >/dev/null; }
docker_stop() {
    docker stop -t 30 "$container" >/dev/null
    status=$(docker inspect --format '{{.State.ExitCode}}' "$container")
}
docker_uid() { docker exec "$container" id -u; }
docker_healthcheck() {
    docker exec "$container" python -c "$(docker inspect --format '{{index .Config.Healthcheck.Test 3}}' "$container")"
}
docker_remove() { docker rm --force --volumes "$container" >/dev/null; }

b() { buildah --root "$cache/storage" --runroot "$work/run" --storage-driver "${STORAGE_DRIVER:-overlay}" "$@"; }

make_base() {
    [ -z "$(b images --quiet "$base" 2>/dev/null)" ] || return 0
    say "making a stand-in for $base from Debian $debian"
    local root=$work/rootfs mirror container wheel
    mirror=$(awk '/^URIs:/ { print $2; exit } /^deb / { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }' \
        /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null || true)
    quietly debootstrap --variant=minbase --include=ca-certificates,python3.13,python3.13-venv \
        "$debian" "$root" "${mirror:-http://deb.debian.org/debian}"
    rm -f "$root/usr/lib/python3.13/EXTERNALLY-MANAGED"
    for name in python python3 python3.13; do ln -sf /usr/bin/python3.13 "$root/usr/local/bin/$name"; done
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    cp /etc/resolv.conf /etc/hosts "$root/etc/"
    wheel=$(cd "$root" && ls usr/share/python-wheels/pip-*.whl)
    quietly chroot "$root" env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/root \
        PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
        python3.13 "/$wheel/pip" install --quiet --no-cache-dir --root-user-action=ignore pip
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/*
    container=$(b from scratch)
    b add --quiet "$container" "$root" / >/dev/null
    b config --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin --env LANG=C.UTF-8 \
        --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
        --env PIP_CERT=/etc/ssl/certs/ca-certificates.crt --cmd python3 "$container"
    b commit --quiet --format docker --rm "$container" "$base" >/dev/null
    rm -rf "$root"
}

buildah_build() {
    cache=${VITRINA_IMAGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vitrina-image}
    mkdir -p "$cache"
    make_base
    # The format of Docker: that of OCI knows no HEALTHCHECK. crun needs cgroups that CI may lack.
    quietly b bud --isolation chroot --format docker --pull-never --layers --tag "$image" .
}
buildah_create() { container=$(b from --pull-never "localhost/$image"); }
# buildah knows no entry point of its own, and shares the machine's network: hence the flags.
buildah_start() {
    local command
    mapfile -t command < <(b inspect --type image --format \
        '{{range .OCIv1.Config.Entrypoint}}{{println .}}{{end}}{{range .OCIv1.Config.Cmd}}{{println .}}{{end}}' \
        "localhost/$image" | sed '/^$/d')
    b run --isolation chroot --env VITRINA_HOST=127.0.0.1 --env "VITRINA_PORT=$port" "$container" -- \
        "${command[@]}" >>"$work/run.log" 2>&1 &
    runner=$!
}
# The served process: the descendant of buildah that itself has no children and is not root's. Each
# thread of a process has its own children.
served() {
    local pid=$1 children child
    children=$(cat "/proc/$pid/task/"*/children 2>/dev/null || true)
    for child in $children; do served "$child"; done
    if [ -z "$children" ] && [ "$(uid_of "$pid")" != 0 ]; then echo "$pid"; fi
}
uid_of() { awk '/^Uid:/ { print $2 }' "/proc/$1/status"; }
buildah_stop() {
    local pid
    pid=$(served "$runner")
    [ -n "$pid" ] || fail "the served process was not found"
    status=0
    kill -TERM "$pid"
    wait "$runner" || status=$?
    runner=
}
buildah_uid() { uid_of "$(served "$runner")"; }
buildah_healthcheck() {
    local code
    code=$(b inspect --type image --format '{{index .Docker.Config.Healthcheck.Test 3}}' "localhost/$image")
    b run --isolation chroot --env "VITRINA_PORT=$port" "$container" -- python -c "$code"
}
buildah_remove() { b rm "$container" >/dev/null; }

# --- The trial.

clean_up() {
    # The served process first: buildah's own end does not end it gracefully, or at all.
    if [ -n "${runner:-}" ]; then
        kill -TERM "$(served "$runner")" "$runner" 2>/dev/null || true
        wait "$runner" 2>/dev/null || true
    fi
    [ -z "${container:-}" ] || "${engine}_remove" || true
    rm -rf "$work"
}
trap clean_up EXIT

ask() { curl --silent --show-error --fail --max-time 10 "http://127.0.0.1:$port$1" "${@:2}"; }

wait_until_ready() {
    for _ in $(seq 300); do
        if ask /readyz >/dev/null 2>&1; then return 0; fi
        [ -z "${runner:-}" ] || kill -0 "$runner" 2>/dev/null || { runner=; fail "it ended before it was ready"; }
        sleep 0.1
    done
    [ "$engine" != docker ] || docker logs "$container" >"$work/run.log" 2>&1
    fail "/readyz did not answer 200 within 30 s"
}

if docker info >/dev/null 2>&1; then
    engine=docker
elif [ "$(id -u)" = 0 ] && command -v buildah >/dev/null && command -v debootstrap >/dev/null; then
    engine=buildah
else
    echo "image: needs a running Docker, or root with buildah and debootstrap (apt-get install buildah debootstrap)" >&2
    exit 1
fi

began=$SECONDS
"${engine}_build"
say "$image built by $engine in $((SECONDS - began)) s"

port=$(free_port)
"${engine}_create"
"${engine}_start"
wait_until_ready
ask '/v1/products?limit=1' | grep -q '"total": *2465[,}]' || fail "the example's 2465 products are not served"
[ "$("${engine}_uid")" = 10001 ] || fail "it does not run as uid 10001"
"${engine}_healthcheck" || fail "its HEALTHCHECK does not pass"
ask /v1/products/container-trial --request PUT --header 'Content-Type: application/json' \
    --data '{"title": "Container trial"}' >/dev/null || fail "a product cannot be written"
"${engine}_stop"
[ "$status" = 0 ] || fail "a stop by SIGTERM ended with status $status"
"${engine}_start"
wait_until_ready
ask /v1/products/container-trial | grep -q '"Container trial"' || fail "a write did not survive a stop and a start"
"${engine}_stop"
say "tried out: ready, 2465 products, uid 10001, HEALTHCHECK, a write kept over SIGTERM and a second start"
