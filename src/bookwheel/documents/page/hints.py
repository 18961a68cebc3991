"""What the names of elements say: the words that authors of pages use in ``class``, ``id`` and ``role``.

Navigation, cookie notes, lists of other articles and the like have such names on nearly every site, whatever its language,
because themes and style sheets are written in English. A name alone never decides over much text: see :mod:`.main`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

__all__ = ["BODY", "COMMENTS", "CONTENTS", "DROP", "KEEP", "NAVIGATION", "NOTICE", "WEAK", "hint_of"]

DROP, WEAK, COMMENTS, KEEP, BODY, NAVIGATION, NOTICE, CONTENTS = 1, 2, 4, 8, 16, 32, 64, 128
"""Flags: not the text; not the text if it links elsewhere or repeats; readers' comments; part of the text
around it; the container of an article's text; navigation, and notes about cookies and sharing, in any page; a table of contents.
"""


def _names(text: str) -> frozenset[str]:
    """The names in ``text``; one of several words, joined by hyphens, also without them."""
    found = frozenset(text.split())
    return found | {name.replace("-", "") for name in found}


_NAVIGATION = _names("""
    nav navi navbar navigation navheader navfooter pagenav nav-links nav-link prev-next next-prev menu megamenu submenu
    breadcrumb breadcrumbs brotkrumen pagination pager paging skip-link skip-links skip-to sidebar sidebars side-bar
    sphinxsidebar related footer page-footer tocframe search-form search-box searchbox search-bar
    language-switcher lang-switch bottomlang toplang editsection jump-link printfooter catlinks navbox
    """)
_NOTICE = _names("""
    cookie cookies consent gdpr dsgvo newsletter subscribe mailchimp onetrust didomi usercentrics borlabs
    sharing share-bar share-buttons sharedaddy social-media sociable addtoany addthis a2a shariff heateor ssba
    screen-reader-text visually-hidden element-invisible sr-only
    """)
_CONTENTS = _names("toc table-of-contents")
_DROP = (
    _NAVIGATION - {"tocframe"}
    | _NOTICE
    | _names("""
    subscription subscriptions share sharer shares social socials follow follow-us bookmark bookmarks
    recommended recommendation recommendations most-read most-popular popular trending read-more more-news more-stories
    more-articles more-posts more-from also-like outbrain taboola plista zergnet yarpp crp rpbt
    right-col left-col right-column left-column marginalspalte marginal marginalie randspalte
    ad ads adv adsense adslot advert adverts advertisement advertising advertorial anzeige anzeigen werbung banner banners
    sponsor sponsors sponsored promo promos promotion
    foot entry-footer post-footer article-footer colophon site-info copyright impressum imprint bottom-bar
    login log-in signin sign-in signup sign-up register registration suche
    popup pop-up modal lightbox overlay off-canvas toolbar toolbox toolbars utility actions
    print drucken post-tags tag-list tag-links tag-cloud article-tags entry-tags tags keywords categories
    post-categories cat-links taxonomy labels schlagworte
    no-print d-none
    byline author-box author-bio author-info author-card author-meta about-author post-author article-author entry-author
    authors author autor post-meta entry-meta article-meta meta metadata metas meta-info post-info article-info posted-on
    post-date entry-date article-date publish-date published-date dateline date datum timestamp
    rating ratings vote votes likes reactions feedback contact-form wpcf7
    credit credits photo-credit image-credit ticker breaking donate donation donations spenden
    top-bar masthead branding logo site-title site-description blog-description slogan tagline
    dropdown drop-down back-to-top totop scroll-top
    """)
)
_WEAK = _names("""
    teaser teasers meta-nav headlines latest widget widgets widgetized carousel swiper slider
    slick owl-carousel slideshow topics disclosure disclaimer cta toc tocframe table-of-contents
    """)
_COMMENTS = _names("""
    comment comments commentlist comment-list comment-area comment-section comment-form respond disqus kommentar kommentare
    commentaire commentaires replies responses livefyre fb-comments trackbacks pingbacks pings discussion
    """)
_KEEP = _names("""
    admonition footnote footnotes topic note warning caution tip important example highlight listing literal-block refsect1
    refsect2 citation
    """)
_BODY = _names("""
    article-body article-content article-text article-copy article-main article-detail artikel-text artikel-body
    artikel-inhalt story-body story-content story-text story-main post-body post-content post-text post-entry
    post-bodycopy entry-content entry-body entry-text blog-content blog-body blog-text news-text news-body news-content
    body-text body-copy body-content text-body text-content content-text content-body single-content field-name-body
    mw-parser-output mw-content-text rich-text main-text csc-text journal-content-article available-content theme-content
    td-post-content cms-content detail-text detail-content markdown-body
    """)
_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])")


@lru_cache(4096)
def hint_of(names: str) -> int:
    """The flags of an element with these names: its ``class`` and ``id``, separated by spaces. At most 300 characters count."""
    found = 0
    for name in names[:300].split():
        words = [word.lower() for word in _SPLIT.split(name) if word]
        triples = map("-".join, zip(words, words[1:], words[2:], strict=False))
        parts = {*words, *map("-".join, pairwise(words)), *triples, "".join(words)}
        if not _BODY.isdisjoint(parts):
            found |= BODY
        elif not _KEEP.isdisjoint(parts):
            found |= KEEP
        elif not _COMMENTS.isdisjoint(parts):
            found |= COMMENTS
        elif not _DROP.isdisjoint(parts):
            found |= DROP
        elif not _WEAK.isdisjoint(parts):
            found |= WEAK
        if not _NAVIGATION.isdisjoint(parts):
            found |= NAVIGATION
        if not _CONTENTS.isdisjoint(parts):
            found |= CONTENTS
        if not _NOTICE.isdisjoint(parts):
            found |= NOTICE
    return found
