"""Settings of the documentation's site: ``make docs`` builds it into ``build/site`` with Sphinx and MyST, offline."""

project = "fetalstream"
html_title = "fetalstream"
copyright = "the fetalstream authors. RESEARCH USE ONLY - NOT FOR DIAGNOSTIC USE"  # noqa: A001 - Sphinx's own name

extensions = ["myst_parser"]
exclude_patterns = ["**/*.py"]
myst_heading_anchors = 4  # links to headings work here as they do on the repository's page

smartquotes = False  # two hyphens are an option, not a dash

html_theme = "alabaster"
html_theme_options = {
    "description": "RESEARCH USE ONLY - NOT FOR DIAGNOSTIC USE",
    "page_width": "1100px",
    "show_powered_by": False,
}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
