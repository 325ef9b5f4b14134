"""docs/parity.md tells the truth."""

from homeport.engine import parity


def test_the_page_is_up_to_date() -> None:
    page = (parity.DOCS / "parity.md").read_text()

    assert page == parity.render(notes=parity.notes()), "run: make parity"


def test_every_operation_is_one_of_aws() -> None:
    for service in parity.SERVICES:
        unknown = set(service.operations) - set(parity.model.operations(service.name))
        assert not unknown, f"{service.name} has operations that AWS does not: {sorted(unknown)}"
