"""How the documentation is built: ``make docs``. Warnings are errors; no page loads anything from elsewhere."""

import sys
from pathlib import Path

from vitrina import __version__

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "Vitrina"
author = "The Vitrina developers"
project_copyright = "The Vitrina developers, Apache-2.0"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx_copybutton",
    # Ours, in _extensions: pages written from the code, diagrams, and the check that nothing reaches out.
    "command_line",
    "http_api",
    "problems",
    "mermaid",
    "offline",
]
exclude_patterns = ["_build", "_generated", "_vendor"]
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"Vitrina {__version__}"
html_static_path = ["_static"]
html_css_files = ["vitrina.css"]
html_theme_options = {"source_edit_link": "", "top_of_page_buttons": []}
copybutton_exclude = ".linenos, .gp, .go"
