"""The command line. A command lives for a moment: a tenth of it is saved where the collector of garbage does not look
through the libraries while they load, and pydantic does not look for plugins, of which there are none."""

import gc
import os
import sys

gc.set_threshold(50_000, 20, 20)
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def command() -> None:
    """The console script. Ctrl-C ends it without a traceback also while the commands are imported."""
    try:
        from homeport.cli.main import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)
