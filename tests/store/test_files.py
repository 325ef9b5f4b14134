"""Bytes are all in a file, or it is said that they are not."""

import resource

import pytest

from homeport.engine.store.files import write_all


def test_a_disk_that_is_nearly_full_is_told_of(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with (tmp_path / "file").open("wb", buffering=0) as file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                write_all(file, b"x" * 1500)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "file").stat().st_size == 1000
