"""Evaluation: judged collections, runs, measures, and comparison with significance."""

from .collection import Collection
from .compare import Change, Comparison, changed, compare
from .equivalence import Equivalence, equivalence
from .evaluation import Evaluation, Search, evaluate, evaluate_runs
from .experiment import experiment
from .judgments import read_qrels, read_queries
from .labels import LabelStep, order_with_fewer_labels
from .load import load_collection, load_files
from .measures import DEFAULT_MEASURES, KINDS, Scores, depth_of, measure, parse_measures
from .missing import Coverage, Missing, coverage, missing_judgments
from .runs import Run, read_run, run_lines, write_run
from .table import (
    format_changes,
    format_comparisons,
    format_equivalence,
    format_evaluation,
    format_labels,
    format_missing,
    format_table,
)

__all__ = [
    "DEFAULT_MEASURES",
    "KINDS",
    "Change",
    "Collection",
    "Comparison",
    "Coverage",
    "Equivalence",
    "Evaluation",
    "LabelStep",
    "Missing",
    "Run",
    "Scores",
    "Search",
    "changed",
    "compare",
    "coverage",
    "depth_of",
    "equivalence",
    "evaluate",
    "evaluate_runs",
    "experiment",
    "format_changes",
    "format_comparisons",
    "format_equivalence",
    "format_evaluation",
    "format_labels",
    "format_missing",
    "format_table",
    "load_collection",
    "load_files",
    "measure",
    "missing_judgments",
    "order_with_fewer_labels",
    "parse_measures",
    "read_qrels",
    "read_queries",
    "read_run",
    "run_lines",
    "write_run",
]
