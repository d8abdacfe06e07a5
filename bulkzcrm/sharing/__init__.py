"""One organisation's limits, shared by every run on this machine: never more in flight, in all, than it allows.

Each run has a holding in the journal that runs out unless it is renewed. Capacity is divided fairly (max-min) among
the holdings, a pause or a cut that one run was taught is for all, and a day's credits are counted over all of them.
"""

from bulkzcrm.sharing.agreement import LEASE_MS
from bulkzcrm.sharing.portions import portions
from bulkzcrm.sharing.share import BEAT_S, Share
from bulkzcrm.sharing.terms import Terms

__all__ = ["BEAT_S", "LEASE_MS", "Share", "Terms", "portions"]
