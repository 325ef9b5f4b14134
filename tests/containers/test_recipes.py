"""Which public images homeport stands in for."""

from __future__ import annotations

import pytest

from homeport.engine.containers.recipes import RECIPES, stand_in


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("python:3.11-slim", "homeport/python:3.11"),
        ("public.ecr.aws/docker/library/python:3.13-slim", "homeport/python:3.13"),
        ("docker.io/library/node:22-bookworm-slim", "homeport/node:22"),
        ("node:lts", "homeport/node:22"),
        ("golang:1.24", "homeport/golang:1.24"),
        ("nginx:stable", "homeport/nginx:stable"),
        ("nginxdemos/hello:latest", "homeport/hello:latest"),
        ("public.ecr.aws/docker/library/httpd:2.4", "homeport/httpd:2.4"),
        ("library/debian:trixie-slim", "homeport/base:trixie"),
    ],
)
def test_a_public_image_has_its_stand_in(image: str, name: str) -> None:
    recipe = stand_in(image)

    assert recipe is not None
    assert recipe.name == name


@pytest.mark.parametrize(
    "image", ["node:8", "python:3.9-alpine", "nginx:alpine", "quay.io/team/node:22", "shop:1"]
)
def test_what_has_none_is_not_guessed(image: str) -> None:
    assert stand_in(image) is None


def test_no_image_has_two_stand_ins() -> None:
    names = [name for recipe in RECIPES for name in (recipe.name, *recipe.standing_in_for)]

    assert len(names) == len(set(names))
