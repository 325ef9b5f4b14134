"""`homeport advisories`: the database that image scans match packages against, in OSV form.

https://ossf.github.io/osv-schema/
"""

from __future__ import annotations

import json
import os
import shutil
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from homeport.cli.output import Output, OutputOption, tell
from homeport.engine.config import default_data

app = typer.Typer(help="The advisories that image scans know.", no_args_is_help=True)
out = Console()
err = Console(stderr=True)

SOURCE = "https://osv-vulnerabilities.storage.googleapis.com"
ECOSYSTEMS = ("Debian", "Ubuntu", "Alpine", "PyPI", "npm", "Go", "Maven")

Data = Annotated[Path | None, typer.Option(help="Where the engine keeps its state.", envvar="HOMEPORT_DATA")]


@app.command()
def sync(
    ecosystems: Annotated[
        list[str] | None, typer.Argument(help="OSV's names; none means the usual ones.")
    ] = None,
    source: Annotated[
        str, typer.Option("--from", help="Where <ecosystem>/all.zip lie: OSV itself, or a mirror of it.")
    ] = SOURCE,
    data: Data = None,
    output: OutputOption = Output.table,
) -> None:
    """Fetch the advisories of ecosystems from OSV. Scans from now on use them."""
    fetched: dict[str, int] = {}
    failed = []
    for ecosystem in ecosystems or ECOSYSTEMS:
        url = f"{source.rstrip('/')}/{ecosystem.replace(' ', '%20')}/all.zip"
        target = _folder(data) / f"{ecosystem.replace(' ', '-')}.zip"
        temporary = target.with_suffix(".part")
        try:
            with urllib.request.urlopen(url, timeout=60) as answer, temporary.open("wb") as file:
                shutil.copyfileobj(answer, file)
            count = _check(temporary, zipped=True)
        except (OSError, urllib.error.URLError, ValueError) as error:
            err.print(
                f"{ecosystem}: {url} cannot be used: {error}", style="red", highlight=False, soft_wrap=True
            )
            failed.append(ecosystem)
            temporary.unlink(missing_ok=True)
            continue
        os.replace(temporary, target)
        fetched[ecosystem] = count
        if output is Output.table:
            out.print(f"{ecosystem}: {count} advisories", highlight=False)
    if output is Output.json:
        tell(output, "", advisories=fetched, failed=failed)
    if failed:
        raise typer.Exit(1)


@app.command()
def add(
    files: Annotated[list[Path], typer.Argument(help="Advisories in OSV form: .json, or a .zip of them.")],
    data: Data = None,
    output: OutputOption = Output.table,
) -> None:
    """Add advisories from files. A file of the same name is replaced."""
    added = {}
    for file in files:
        target = _folder(data) / file.name
        try:
            if file.suffix not in (".json", ".zip"):
                raise ValueError("its name must end in .json or .zip")
            count = _check(file, zipped=file.suffix == ".zip")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            err.print(f"{file} cannot be used: {why}", style="red", highlight=False, soft_wrap=True)
            raise typer.Exit(1) from None
        temporary = target.with_suffix(".part")
        shutil.copyfile(file, temporary)
        os.replace(temporary, target)
        added[file.name] = count
    lines = [f"{name}: {count} advisories" for name, count in added.items()]
    tell(output, "\n".join(lines), advisories=added)


@app.command("list")
def list_(data: Data = None, output: OutputOption = Output.table) -> None:
    """Show the files of the database."""
    files = sorted(file for file in _folder(data).iterdir() if file.suffix in (".json", ".zip"))
    sizes = {file.name: file.stat().st_size for file in files}
    lines = [f"{name}  {size} bytes" for name, size in sizes.items()]
    nothing = "There are no advisories: `homeport advisories sync` fetches them."
    tell(
        output,
        "\n".join(lines) or nothing,
        files=[{"name": name, "bytes": size} for name, size in sizes.items()],
    )


def _folder(data: Path | None) -> Path:
    folder = (data or default_data()).expanduser().absolute() / "advisories"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _check(file: Path, zipped: bool) -> int:
    """How many advisories the file has. Raises ValueError for one that is not in OSV form."""
    if not zipped:
        document = json.loads(file.read_bytes())
        entries = document if isinstance(document, list) else [document]
        return len([_checked(entry) for entry in entries])
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name.endswith(".json")]
            if not names:
                raise ValueError("it has no .json files")
            _checked(json.loads(archive.read(names[0])))
            return len(names)
    except zipfile.BadZipFile:
        raise ValueError("it is no zip archive") from None


def _checked(entry: Any) -> Any:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str) or "modified" not in entry:
        raise ValueError("it has an entry without 'id' and 'modified', so it is not in OSV form")
    return entry
