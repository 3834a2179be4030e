"""The pages of the features are current, and every feature is driven by steps."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
SCRIPT = TOP / "docs" / "feature_diagrams.py"
FEATURES = sorted((TOP / "features").glob("*.feature"))
PAGES = TOP / "docs" / "features"


def named(path: Path) -> str:
    return path.stem


def test_the_pages_are_what_the_script_makes_of_the_features() -> None:
    ran = subprocess.run(
        [sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("feature", FEATURES, ids=named)
def test_every_feature_is_driven_by_a_module_of_steps(feature: Path) -> None:
    module = TOP / "tests" / "acceptance" / f"test_{feature.stem}.py"

    assert f'scenarios("{feature.name}")' in module.read_text(encoding="utf-8")


@pytest.mark.parametrize("feature", FEATURES, ids=named)
def test_a_feature_speaks_of_people_and_not_of_http(feature: Path) -> None:
    text = feature.read_text(encoding="utf-8")

    assert re.findall(r"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|HTTP|status code)\b", text) == []


@pytest.mark.parametrize("feature", FEATURES, ids=named)
def test_a_page_draws_every_scenario_of_its_feature(feature: Path) -> None:
    text = feature.read_text(encoding="utf-8")
    scenarios = re.findall(r"^\s*Scenario(?: Outline)?: ", text, re.MULTILINE)

    page = (PAGES / f"{feature.stem}.md").read_text(encoding="utf-8")

    diagrams = re.findall(r"```mermaid\n(.*?)```", page, re.DOTALL)
    assert diagrams[0].count(":::scenario") == len(scenarios)
    assert sum(each.count(":::scenario") for each in diagrams[1:]) == len(scenarios)
