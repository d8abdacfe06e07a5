"""Bulk operations for Zoho CRM services: a spreadsheet goes in, every row gets its verdict."""

__version__ = "0.1.0"
