"""Source code and configuration: one document a file, its path as the title, split
at blank lines and definitions.
"""

from __future__ import annotations

from ..document import Document
from ..source import Fields, Source
from .base import Format, Items
from .text import read_text

__all__ = ["CODE"]

_SUFFIXES = """
.ada .adb .ads .asm .awk .bash .bat .bzl .c .cc .cfg .cjs .clj .cljs .cmake .cmd .conf .cpp .cs .css .cu .cuh
.cxx .d .dart .diff .el .elm .erl .ex .exs .f .f03 .f08 .f77 .f90 .f95 .fish .for .fs .fsx .gd .glsl .go
.gradle .graphql .groovy .h .hcl .hh .hlsl .hpp .hrl .hs .hxx .idl .inc .ini .ino .java .jl .js .jsx .kt .kts
.less .lisp .lua .m .m4 .mak .mjs .mk .ml .mli .mm .nim .nix .pas .patch .php .pl .plist .pm .po .pot .pp
.properties .proto .ps1 .psm1 .pxd .pxi .py .pyi .pyx .r .rake .rb .rkt .rs .s .sass .sc .scala .scm .scss .sh
.sol .sql .sv .svelte .svh .swift .tcl .tf .thrift .toml .ts .tsx .v .vala .vb .vbs .vhd .vhdl .vim .vue .xml
.xsd .xsl .xslt .yaml .yml .zig .zsh
"""


def _read(source: Source, fields: Fields) -> Items:
    text = read_text(source)
    if text and not text.isspace():
        yield Document(source.path, text, source.name or source.stem, kind="code", lines=True)


CODE = Format(
    "code",
    tuple(_SUFFIXES.split()),
    _read,
    names=(
        "makefile",
        "gnumakefile",
        "dockerfile",
        "rakefile",
        "gemfile",
        "jenkinsfile",
        "vagrantfile",
        "procfile",
        "cmakelists.txt",
    ),
)
