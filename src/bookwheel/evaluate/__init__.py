"""Evaluation: judged collections, runs, measures, and comparison with significance."""

from .collection import Collection
from .compare import Change, Comparison, changed, compare
from .evaluation import Evaluation, Search, evaluate, evaluate_runs
from .experiment import experiment
from .judgments import read_qrels, read_queries
from .load import load_collection, load_files
from .measures import DEFAULT_MEASURES, KINDS, Scores, depth_of, measure, parse_measures
from .runs import Run, read_run, run_lines, write_run
from .table import format_changes, format_comparisons, format_evaluation, format_table

__all__ = [
    "DEFAULT_MEASURES",
    "KINDS",
    "Change",
    "Collection",
    "Comparison",
    "Evaluation",
    "Run",
    "Scores",
    "Search",
    "changed",
    "compare",
    "depth_of",
    "evaluate",
    "evaluate_runs",
    "experiment",
    "format_changes",
    "format_comparisons",
    "format_evaluation",
    "format_table",
    "load_collection",
    "load_files",
    "measure",
    "parse_measures",
    "read_qrels",
    "read_queries",
    "read_run",
    "run_lines",
    "write_run",
]
