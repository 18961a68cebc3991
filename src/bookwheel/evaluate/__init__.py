"""Evaluation: judged collections, runs, measures, and comparison with significance."""

from .collection import Collection, Instructions
from .compare import Change, Comparison, changed, compare
from .equivalence import Equivalence, equivalence
from .evaluation import Evaluation, Search, evaluate, evaluate_runs
from .experiment import experiment
from .failures import Failure, failures
from .files import load_files
from .following import Following, follow, p_mrr, rank_change
from .groups import Group, format_groups
from .judgments import read_qrels, read_queries
from .kept import Kept, OverTime, compare_kept, keep, kept
from .labels import LabelStep, order_with_fewer_labels
from .load import load_collection
from .measures import DEFAULT_MEASURES, KINDS, Scores, depth_of, measure, parse_measures
from .missing import Coverage, Missing, coverage, missing_judgments
from .report import Report, evaluation_report, made, write_report
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
from .worth import Worth, format_worth, sources_by_field, worth_of_sources

__all__ = [
    "DEFAULT_MEASURES",
    "KINDS",
    "Change",
    "Collection",
    "Comparison",
    "Coverage",
    "Equivalence",
    "Evaluation",
    "Failure",
    "Following",
    "Group",
    "Instructions",
    "Kept",
    "LabelStep",
    "Missing",
    "OverTime",
    "Report",
    "Run",
    "Scores",
    "Search",
    "Worth",
    "changed",
    "compare",
    "compare_kept",
    "coverage",
    "depth_of",
    "equivalence",
    "evaluate",
    "evaluate_runs",
    "evaluation_report",
    "experiment",
    "failures",
    "follow",
    "format_changes",
    "format_comparisons",
    "format_equivalence",
    "format_evaluation",
    "format_groups",
    "format_labels",
    "format_missing",
    "format_table",
    "format_worth",
    "keep",
    "kept",
    "load_collection",
    "load_files",
    "made",
    "measure",
    "missing_judgments",
    "order_with_fewer_labels",
    "p_mrr",
    "parse_measures",
    "rank_change",
    "read_qrels",
    "read_queries",
    "read_run",
    "run_lines",
    "sources_by_field",
    "worth_of_sources",
    "write_report",
    "write_run",
]
