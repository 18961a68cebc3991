"""Whether a page belongs to a site, with its menus and teasers, or is a manual, an export or a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .hints import BODY, NOTICE

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

    from .blocks import Blocks

__all__ = ["is_of_site"]

# Of 465 pages of newspapers, shops and blogs all but 20 announce themselves so to feed readers, social networks and search
# engines; of 30 pages each of 28 manuals in Debian none does.
_ANNOUNCED = (
    'meta[property^="og:"], meta[name^="twitter:"], link[type="application/rss+xml"], link[type="application/atom+xml"], '
    'script[type="application/ld+json"], link[rel=pingback], link[rel=amphtml], link[rel=EditURI], link[rel=shortlink]'
)
_PUBLISHERS = (
    *("wordpress", "drupal", "joomla", "typo3", "contao", "plone", "blogger", "ghost", "squarespace", "webflow", "wix"),
    *("shopify", "site builder", "cms"),
)
_WRITERS = (
    *("docutils", "sphinx", "docbook", "asciidoc", "doxygen", "javadoc", "makeinfo", "texi2", "latex2html", "rustdoc"),
    *("pdoc", "mkdocs", "docusaurus", "vitepress", "vuepress", "mdbook", "gitbook", "pandoc", "hevea", "haddock", "antora"),
    *("docfx", "jsdoc", "typedoc", "exdoc", "jupyter", "nbconvert", "quarto", "bookdown", "rmarkdown", "starlight"),
    *("mediawiki", "dokuwiki", "libreoffice", "openoffice", "microsoft", "word", "groff", "tex4ht", "latexml", "org mode"),
)


def is_of_site(tree: LexborHTMLParser, page: Blocks | None = None) -> bool:
    """Judged by the program that made it, what its head announces (feeds, cards for social networks), and whether any
    of its blocks is named as cookie notes, buttons to share or the texts of blogs are.
    """
    generator = tree.css_first("meta[name=generator i]")
    if generator is not None:
        made_by = (generator.attributes.get("content") or "").lower()
        if any(name in made_by for name in _PUBLISHERS):
            return True
        if any(name in made_by for name in _WRITERS):
            return False
    if tree.css_first(_ANNOUNCED) is not None:
        return True
    return page is not None and any(hint & (NOTICE | BODY) for hint in page.hint)
