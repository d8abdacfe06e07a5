"""A workbook made for one operation, to be filled in and given to `run` as it is."""

from bulkzcrm.template.example import example_row, is_harmless
from bulkzcrm.template.listed import Lists, lists_of
from bulkzcrm.template.workbook import write_template

__all__ = ["Lists", "example_row", "is_harmless", "lists_of", "write_template"]
