#!/usr/bin/env bash
# Builds the image without a container engine, and runs it: Debian 13 from its packages into FOLDER, the Dockerfile's own steps in it,
# then the services under s6, without a network, before a stand-in Supervisor and Home Assistant. Where there is strace, what was
# touched is held against the AppArmor profile. Needs root, debootstrap, util-linux, iproute2, and dist/app of scripts/app. A FOLDER that holds a Debian already is used as it is. Usage: tests/addon/in_debian.sh FOLDER
set -euo pipefail
root=$(realpath -m "${1:?usage: tests/addon/in_debian.sh FOLDER}")
cd "$(dirname "$0")/../.."
app=$PWD/dist/app/ds_plugin
[ -f "$app/wheel/constraints.txt" ] || { echo "dist/app is missing; scripts/release and scripts/app make it" >&2; exit 2; }
recipe() { "${PYTHON:-python3}" -m tests.addon.recipe "$app/Dockerfile" "$@"; }

echo "== what the base image brings, as far as Debian has it"
[ -x "$root/bin/bash" ] || debootstrap --variant=minbase --include=bash,ca-certificates,curl,jq,tzdata,xz-utils trixie "$root" ${MIRROR:+"$MIRROR"} >/dev/null
[ -x "$root/bin/s6-svscan" ] || { chroot "$root" apt-get update -qq && chroot "$root" apt-get install -qq --no-install-recommends s6 execline; } >/dev/null
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt" # a builder behind a proxy has its own

echo "== the Dockerfile's steps"
rm -rf "$root/tmp/wheel" "$root/opt/ds-plugin" "$root/opt/ds-app" "$root/etc/s6-overlay" "$root"/{run,command,data,share,halted}
mkdir -p "$root/run"
recipe RUN COPY | while read -r kind step; do
    if [ "$kind" = COPY ]; then
        read -r from to <<<"$step"
        mkdir -p "$root$to"
        cp -R "$app/$from/." "$root$to"
        continue
    fi
    unshare --mount --pid --fork --kill-child chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        bash -o pipefail -c "mount -t proc proc /proc; $step" </dev/null >"$root/step.log" 2>&1 || { cat "$root/step.log" >&2; exit 1; }
done
du -sh "$root" | cut -f 1

echo "== the services, without a network"
mkdir -p "$root/srv/app" "$root/share" "$root/data"
rm -rf "$root/srv/app/tests" && cp -R tests "$root/srv/app/tests" && cp -R addon "$root/srv/app/"
chroot "$root" /opt/ds-plugin/bin/python -c 'import json, yaml; print(json.dumps(yaml.safe_load(open("/srv/app/addon/config.yaml"))["options"]))' \
    >"$root/data/options.json"
grep -q supervisor "$root/etc/hosts" 2>/dev/null || printf '127.0.0.1 localhost supervisor\n' >>"$root/etc/hosts"
TRACE=
! command -v strace >/dev/null || TRACE="strace -f -qq -s 300 -e trace=file -o $root/trace"
export TRACE
health=$(recipe HEALTHCHECK | grep -o '\[.*\]' | tr -d '[],"')
# shellcheck disable=SC2016,SC2086 # the inner shell expands; the health check is words
unshare --mount --pid --net --uts --fork --kill-child bash -euo pipefail -c '
    hostname local-ds-plugin
    ip link set lo up
    root=$1; shift
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    cd "$root"
    exec $TRACE chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 PYTHONPATH=/srv/app bash -c "cd /srv/app && exec /opt/ds-plugin/bin/python -m tests.addon.inside \"\$@\"" - "$@"
' - "$root" $health

if [ -n "$TRACE" ]; then
    echo "== the AppArmor profile"
    "${PYTHON:-python3}" -m tests.addon.confined "$app/apparmor.txt" "$root/trace" "$root"
fi
