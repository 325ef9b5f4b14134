# Starts the build's own Docker daemon (privilegedMode); sourced by the agent.
parent=$(sed -n 's/^[0-9]*:\(memory\|\):\(.*\)$/\2/p' /proc/self/cgroup | head -n 1)
mkdir -p /etc/docker
mount_options=$(cat $plan/docker)
containerd=
if command -v containerd >/dev/null; then
    # a containerd of dockerd's own keeps dockerd from ending for a second
    mkdir -p /run/docker/containerd
    printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' >/run/docker/containerd/config.toml
    containerd --config /run/docker/containerd/config.toml --root /var/lib/docker/containerd/daemon \
        --state /run/docker/containerd/daemon --address /run/docker/containerd/containerd.sock \
        >/var/log/containerd.log 2>&1 &
    containerd=$!
    mount_options="$mount_options --containerd /run/docker/containerd/containerd.sock"
fi
if [ -f $plan/inner ] && command -v python3 >/dev/null; then
    install -m 755 "${plan%/plan}/inner_runtime.py" /usr/local/bin/homeport-runc
    mount_options="$mount_options --add-runtime homeport=/usr/local/bin/homeport-runc --default-runtime homeport"
fi
# shellcheck disable=SC2086
dockerd --host unix:///var/run/docker.sock --cgroup-parent "${parent%/}/docker" $mount_options \
    >/var/log/dockerd.log 2>&1 &
dockerd=$!
waited=0
until docker version >/dev/null 2>&1; do
    waited=$((waited + 1))
    if [ $waited -gt 300 ] || ! kill -0 $dockerd 2>/dev/null; then
        echo "The build's Docker daemon does not start; the end of its log:"
        tail -n 5 /var/log/dockerd.log
        break
    fi
    sleep 0.05
done
