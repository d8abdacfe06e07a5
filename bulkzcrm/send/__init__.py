"""Batches → outcomes: every batch is in the journal before it leaves, and its answer is, before anything follows."""

from bulkzcrm.send.claim import Claim
from bulkzcrm.send.drafts import Draft
from bulkzcrm.send.ledger import Ledger
from bulkzcrm.send.precedence import Precedence
from bulkzcrm.send.sendable import Budget, LookUp, Sendable
from bulkzcrm.send.sender import Sender

__all__ = ["Budget", "Claim", "Draft", "Ledger", "LookUp", "Precedence", "Sendable", "Sender"]
