"""Settings of the documentation: Markdown through MyST, Furo's theme, nothing fetched from the network."""

project = "Newel"
author = "Newel authors"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Newel"
# Headings can be linked to from other pages, three levels deep.
myst_heading_anchors = 3
# ::: fences for notes read well in plain text too.
myst_enable_extensions = ["colon_fence", "deflist"]
# No copy of the sources beside the pages: they are in the repository.
html_copy_source = False
html_show_sphinx = False
