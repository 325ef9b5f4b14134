"""The layout of the official httpd image over Debian's package: /usr/local/apache2 with htdocs and conf/httpd.conf,
logs to the container's output, `httpd-foreground`."""

from __future__ import annotations

import tarfile
from pathlib import Path

from homeport.engine.containers.archives import add_bytes

_ROOT = "usr/local/apache2"
_MODULES = "/usr/lib/apache2/modules"
_CONFIGURATION = f"""\
ServerRoot /{_ROOT}
ServerName localhost
PidFile /tmp/httpd.pid
Listen 80
LoadModule mpm_event_module {_MODULES}/mod_mpm_event.so
LoadModule authz_core_module {_MODULES}/mod_authz_core.so
LoadModule mime_module {_MODULES}/mod_mime.so
LoadModule dir_module {_MODULES}/mod_dir.so
User www-data
Group www-data
DocumentRoot /{_ROOT}/htdocs
DirectoryIndex index.html
TypesConfig /etc/mime.types
ErrorLog /proc/self/fd/2
LogFormat "%h %l %u %t \\"%r\\" %>s %b" common
CustomLog /proc/self/fd/1 common
<Directory />
    AllowOverride none
    Require all denied
</Directory>
<Directory /{_ROOT}/htdocs>
    Require all granted
</Directory>
"""
_FOREGROUND = f"""\
#!/bin/sh
set -e
rm -f /tmp/httpd.pid
exec apache2 -f /{_ROOT}/conf/httpd.conf -DFOREGROUND "$@"
"""


def write(file: Path) -> None:
    """Write a tar archive, to be unpacked at the root of the image."""
    with tarfile.open(file, "w") as tar:
        add_bytes(tar, f"{_ROOT}/conf/httpd.conf", _CONFIGURATION.encode())
        add_bytes(tar, f"{_ROOT}/htdocs/index.html", b"<html><body><h1>It works!</h1></body></html>\n")
        add_bytes(tar, "usr/local/bin/httpd-foreground", _FOREGROUND.encode(), 0o755)
