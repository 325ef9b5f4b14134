#!/usr/bin/env bash
# Make sure that a Docker engine answers, and that the tools which make base images are there. Quick when they are.
# Arguments are further Debian packages that are wanted but not needed: the tests' clients.
set -euo pipefail

may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

packages=()
command -v dockerd >/dev/null || packages+=(docker.io iptables)
command -v mmdebstrap >/dev/null || packages+=(mmdebstrap)
command -v git >/dev/null || packages+=(git)
if [ ${#packages[@]} -gt 0 ] && ! may_install; then
    echo "homeport needs: ${packages[*]}. Install them (apt-get install ${packages[*]}), or run this as root on Debian." >&2
    exit 1
fi
if may_install; then
    for package in "$@"; do
        dpkg-query --show "$package" >/dev/null 2>&1 || packages+=("$package")
    done
fi
if [ ${#packages[@]} -gt 0 ]; then
    echo "Installing ${packages[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

docker info >/dev/null 2>&1 && exit 0
if [ "$(id -u)" != 0 ]; then
    echo "No Docker engine answers (docker info). Start it: sudo systemctl start docker" >&2
    exit 1
fi
echo "Starting dockerd"
setsid dockerd >/var/log/dockerd.log 2>&1 </dev/null &
for _ in $(seq 150); do
    docker info >/dev/null 2>&1 && exit 0
    sleep 0.2
done
echo "dockerd does not start; the end of its log:" >&2
tail -n 5 /var/log/dockerd.log >&2
exit 1
