"""The user's own workbook, given back with the outcome of every row in it; all else in it stays as it was."""

from bulkzcrm.report.annotated.markup import UneditableError
from bulkzcrm.report.annotated.writing import Annotation, OwnWorkbook, opened

__all__ = ["Annotation", "OwnWorkbook", "UneditableError", "opened"]
