"""The vendor's API as data: operations, fields, rules and codes, each stated once. No input or output happens here."""
