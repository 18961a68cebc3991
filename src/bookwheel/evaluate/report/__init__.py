"""Reports that can be handed on: one page, one Markdown file, or one JSON file, from the same blocks."""

from .blocks import Block, Code, Details, Figure, Heading, Paragraph, Quote, Table
from .evaluation import evaluation_report
from .made import made
from .report import Report
from .write import FORMATS, write_report

__all__ = [
    "FORMATS",
    "Block",
    "Code",
    "Details",
    "Figure",
    "Heading",
    "Paragraph",
    "Quote",
    "Report",
    "Table",
    "evaluation_report",
    "made",
    "write_report",
]
