"""Make a page with diagrams for each feature file.

    uv run python docs/feature_diagrams.py            # writes docs/features/*.md
    uv run python docs/feature_diagrams.py --check    # fails when a page is not what it would write

A page holds the feature's words; an overview (feature → rules → scenarios); for each rule the way
of its scenarios (given → when → then); and the feature file word for word. The same feature files
give the same bytes. Pages of features that are gone are removed.
"""

import argparse
import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Final

from gherkin.parser import Parser
from gherkin.parser_types import Feature, Rule, Scenario, Step

ROOT: Final = Path(__file__).parent.parent
FEATURES: Final = ROOT / "features"
PAGES: Final = ROOT / "docs" / "features"

# Mermaid reads these inside a quoted label; as a number between # and ; they are only characters.
_SPECIAL: Final = str.maketrans({char: f"#{ord(char)};" for char in '#"&<>`*_\\[]{}'})

_KIND: Final = {"Context": "given", "Action": "when", "Outcome": "then"}

_HEAD: Final = """\
%%{init: {"flowchart": {"wrappingWidth": 240, "nodeSpacing": 16, "rankSpacing": 36}}}%%
flowchart LR"""

_STYLES: Final = """\
  classDef feature fill:#26364a,color:#ffffff,stroke:#26364a
  classDef rule fill:#dfe6ee,color:#1a1a1a,stroke:#7f93a8
  classDef scenario fill:#ffffff,color:#1a1a1a,stroke:#7f93a8
  classDef given fill:#eef1fb,color:#1a1a1a,stroke:#8d9bd1
  classDef when fill:#fdf3d8,color:#1a1a1a,stroke:#d0a94a
  classDef then fill:#e2f3e4,color:#1a1a1a,stroke:#77ad7d"""


@dataclass(frozen=True, slots=True)
class Group:
    """Scenarios under one rule, or those of a feature that stand under none.

    Attributes:
        name: Of the rule; the feature's when there is none.
        description: Of the rule.
        background: What is given in each scenario.
        scenarios: In the order of the file.
        is_rule: Whether the name is a rule's.
    """

    name: str
    description: str
    background: tuple[Step, ...]
    scenarios: tuple[Scenario, ...]
    is_rule: bool


def parse(path: Path) -> Feature:
    """Return the feature in a file.

    Raises:
        SystemExit: There is none, or two scenarios have one name (pytest-bdd would run only one).
    """
    document = Parser().parse(path.read_text(encoding="utf-8"))
    feature = document.get("feature")
    if feature is None:
        sys.exit(f"{path}: no feature")
    names = [each["name"] for group in groups(feature) for each in group.scenarios]
    if twice := {name for name in names if names.count(name) > 1}:
        sys.exit(f"{path}: two scenarios have one name: {sorted(twice)}")
    return feature


def groups(feature: Feature) -> list[Group]:
    """Return the scenarios of a feature by their rules, those without a rule first."""
    background: tuple[Step, ...] = ()
    free: list[Scenario] = []
    ruled: list[Group] = []
    for child in feature["children"]:
        if "background" in child:
            background = tuple(child["background"]["steps"])
        elif "scenario" in child:
            free.append(child["scenario"])
        else:
            ruled.append(_group(child["rule"], background))
    if not free:
        return ruled
    return [Group(feature["name"], "", background, tuple(free), is_rule=False), *ruled]


def _group(rule: Rule, background: tuple[Step, ...]) -> Group:
    scenarios: list[Scenario] = []
    for child in rule["children"]:
        if "background" in child:
            background += tuple(child["background"]["steps"])
        elif "scenario" in child:
            scenarios.append(child["scenario"])
    return Group(rule["name"], _prose(rule["description"]), background, tuple(scenarios), True)


def _prose(description: str) -> str:
    return dedent(description).strip()


def label(text: str) -> str:
    """Return *text* as the quoted label of a node."""
    return '"' + text.translate(_SPECIAL) + '"'


def _lines(steps: Iterable[Step]) -> str:
    """Return steps as the label of one node, a line for each; … stands for a table or a text."""
    texts = [
        f"{step['keyword'].strip()} {step['text']}".translate(_SPECIAL)
        + (" …" if "dataTable" in step or "docString" in step else "")
        for step in steps
    ]
    return '"' + "<br/>".join(texts) + '"'


def phases(steps: Sequence[Step]) -> Iterator[tuple[str, list[Step]]]:
    """Yield runs of steps of one kind; *And* and *But* are of the kind before them."""
    kind = "given"
    kinds: list[str] = []
    for step in steps:
        kind = _KIND.get(step["keywordType"], kind)
        kinds.append(kind)
    runs = itertools.groupby(zip(kinds, steps, strict=True), key=lambda each: each[0])
    for name, run in runs:
        yield name, [step for _, step in run]


def overview(feature: Feature) -> Iterator[str]:
    """Yield the lines of the diagram: feature → rules → scenarios."""
    yield _HEAD
    yield f"  f({label(feature['name'])}):::feature"
    for number, group in enumerate(groups(feature), 1):
        above = "f"
        if group.is_rule:
            above = f"r{number}"
            yield f"  f --> {above}[{label(group.name)}]:::rule"
        for place, scenario in enumerate(group.scenarios, 1):
            yield f"  {above} --> s{number}x{place}({label(scenario['name'])}):::scenario"
    yield _STYLES


def course(group: Group) -> Iterator[str]:
    """Yield the lines of the diagram: scenario → given → when → then."""
    yield _HEAD
    if group.background:
        yield f"  b[{_lines(group.background)}]:::given"
    for place, scenario in enumerate(group.scenarios, 1):
        last = f"s{place}"
        start = f"{last}({label(scenario['name'])}):::scenario"
        yield f"  b -.-> {start}" if group.background else f"  {start}"
        for number, (kind, steps) in enumerate(phases(scenario["steps"]), 1):
            node = f"s{place}p{number}"
            yield f"  {last} --> {node}[{_lines(steps)}]:::{kind}"
            last = node
    yield _STYLES


def _diagram(lines: Iterable[str]) -> str:
    return "\n".join(["```mermaid", *lines, "```"])


def page(feature: Feature, text: str) -> str:
    """Return the page of a feature whose file holds *text*."""
    parts = [
        f"# {feature['name']}",
        _prose(feature["description"]),
        _diagram(overview(feature)),
    ]
    for group in groups(feature):
        heading = group.name if group.is_rule else "What holds in general"
        parts += [f"## {heading}", group.description, _diagram(course(group))]
    parts += ["## The feature, word for word", f"```gherkin\n{text.strip()}\n```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def index(features: Mapping[str, Feature]) -> str:
    """Return the page that lists all features."""
    rows = [
        f"| [{feature['name']}]({name}.md) | {' '.join(_prose(feature['description']).split())} "
        f"| {sum(len(group.scenarios) for group in groups(feature))} |"
        for name, feature in features.items()
    ]
    return "\n".join(
        [
            "# Features",
            "",
            "What Vitrina does, in the words of the merchants, shoppers and developers it does it",
            "for. Each scenario runs as a test against a really running service; these pages are",
            "made from the same files by `docs/feature_diagrams.py`.",
            "",
            "| feature | what it is about | scenarios |",
            "|---|---|---|",
            *rows,
            "",
            "```{toctree}",
            ":hidden:",
            "",
            *features,
            "```",
            "",
        ]
    )


def pages() -> dict[Path, str]:
    """Return every page that should be there, by its path."""
    paths = sorted(FEATURES.glob("*.feature"))
    features = {path.stem: parse(path) for path in paths}
    made = {
        PAGES / f"{path.stem}.md": page(features[path.stem], path.read_text(encoding="utf-8"))
        for path in paths
    }
    return {**made, PAGES / "index.md": index(features)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Make a page with diagrams for each feature.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if not current")
    check = parser.parse_args(arguments).check
    wanted = pages()
    present = {path: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    stale = sorted(
        path for path in wanted.keys() | present.keys() if wanted.get(path) != present.get(path)
    )
    if check and stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        sys.exit(f"Not current: {names}. Run: uv run python docs/feature_diagrams.py")
    PAGES.mkdir(exist_ok=True)
    for path in stale:
        if path in wanted:
            path.write_text(wanted[path], encoding="utf-8")
        else:
            path.unlink()
    print(f"{len(wanted)} pages, {len(stale)} of them changed" if stale else "All are current.")


if __name__ == "__main__":
    main()
