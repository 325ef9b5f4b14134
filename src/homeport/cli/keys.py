"""`homeport manifest`: every key of homeport.yml, for people, and as a JSON Schema for editors."""

from __future__ import annotations

import json

from homeport.cli.failures import explained
from homeport.cli.output import Output, OutputOption, console


@explained
def manifest(output: OutputOption = Output.table) -> None:
    """Show every key of homeport.yml. As JSON it is the JSON Schema that editors check the file with."""
    if output is Output.json:
        from homeport.manifest.schema import schema

        print(json.dumps(json.loads(schema()), indent=2))
        return
    from rich.markdown import Markdown

    from homeport.manifest.reference import keys

    out = console()
    out.print(Markdown(keys()) if out.is_terminal else keys(), markup=False)
