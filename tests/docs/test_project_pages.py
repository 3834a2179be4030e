"""The pages at the top of the repository."""

import re
import tomllib
from pathlib import Path

import pytest

import vitrina

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text(encoding="utf-8")
MAKEFILE = (TOP / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)
PAGES = sorted(
    page
    for page in [*TOP.glob("*.md"), *TOP.glob("docs/**/*.md"), *TOP.glob("k8s/*.md")]
    if not any(part.startswith("_") for part in page.relative_to(TOP).parts)
)
PACKAGE = TOP / "src" / "vitrina"
CODE = re.compile(
    r"`((?:domain|service_layer|adapters|bootstrap|entrypoints|tests|benchmarks)/[\w./]*)`"
)
"""A place as pages name it, from the package or from the top of the repository."""
WRITTEN_BY_THE_BUILD = {"http-api.md", "problems.md"}


def test_the_readme_begins_with_the_two_commands() -> None:
    first_block = README.split("```")[1]

    assert "make serve" in first_block
    assert "make test" in first_block


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target_explains_itself_and_is_in_the_contributing_page(target: str) -> None:
    contributing = (TOP / "CONTRIBUTING.md").read_text(encoding="utf-8")

    assert re.search(rf"^{target}:.*## \S", MAKEFILE, re.MULTILINE)
    assert f"`make {target}`" in contributing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_no_page_names_a_make_target_that_does_not_exist(page: Path) -> None:
    named = re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert set(named) <= set(TARGETS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_every_link_to_a_file_of_the_repository_leads_to_one(page: Path) -> None:
    links = set(re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")))
    base = TOP if page.name == "changelog.md" else page.parent

    missing = {
        link
        for link in links
        if not (base / link).exists() and Path(link).name not in WRITTEN_BY_THE_BUILD
    }

    assert missing == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_every_place_in_the_code_that_a_page_names_is_there(page: Path) -> None:
    named = set(CODE.findall(page.read_text(encoding="utf-8")))

    assert {
        each for each in named if not any((base / each).exists() for base in (PACKAGE, TOP))
    } == set()


def test_the_modules_of_the_index_are_all_on_its_map() -> None:
    """It has the most modules of all packages, and nobody finds their way without one."""
    package = PACKAGE / "adapters" / "index"
    told = set(re.findall(r"``([a-z_]+)``", (package / "__init__.py").read_text(encoding="utf-8")))

    assert told == {path.stem for path in package.glob("*.py")} - {"__init__"}


def test_the_changelog_has_a_section_for_this_version() -> None:
    changelog = (TOP / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+)", changelog, re.MULTILINE)

    assert newest is not None
    assert newest[1] in {vitrina.__version__, "Unreleased"}


def test_the_package_and_the_code_agree_on_the_version() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"] == vitrina.__version__


def test_every_decision_says_what_a_decision_must_say() -> None:
    for page in (TOP / "docs" / "decisions").glob("0*.md"):
        text = page.read_text(encoding="utf-8")
        number = int(page.name[:4])

        assert text.startswith(f"# {number}. ")
        for part in ("Status:", "## Context", "## Decision", "## Consequences", "## Held by"):
            assert part in text, f"{page.name} lacks {part}"
