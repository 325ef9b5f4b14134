"""The layout of the official nginx image over Debian's package: one site of /usr/share/nginx/html in
/etc/nginx/conf.d/default.conf, logs to the container's output, templates not supported."""

from __future__ import annotations

import tarfile
from pathlib import Path

from homeport.engine.containers.archives import add_bytes, add_link

_MAIN = """\
user www-data;
worker_processes auto;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log notice;
events {
    worker_connections 1024;
}
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log;
    sendfile on;
    keepalive_timeout 65;
    include /etc/nginx/conf.d/*.conf;
}
"""
_SITE = """\
server {
    listen 80;
    server_name localhost;
    location / {
        root /usr/share/nginx/html;
        index index.html index.htm;
    }
    error_page 500 502 503 504 /50x.html;
    location = /50x.html {
        root /usr/share/nginx/html;
    }
}
"""


def write(file: Path) -> None:
    """Write a tar archive, to be unpacked at the root of the image."""
    with tarfile.open(file, "w") as tar:
        add_bytes(tar, "etc/nginx/nginx.conf", _MAIN.encode())
        add_bytes(tar, "etc/nginx/conf.d/default.conf", _SITE.encode())
        add_link(tar, "var/log/nginx/access.log", "/dev/stdout")
        add_link(tar, "var/log/nginx/error.log", "/dev/stderr")
