"""A stand-in for the vendor's API, for rehearsals, training and tests: it behaves as the vendor's pages say.

It imports nothing else of this package: it is the second, independent statement of the pages, and checks the first.
"""

from bulkzcrm.sandbox.core import Sandbox, serve_forever
from bulkzcrm.sandbox.faults import Fault, Faults
from bulkzcrm.sandbox.options import SandboxOptions
from bulkzcrm.sandbox.server import ServedRequest
from bulkzcrm.sandbox.store import SandboxError

__all__ = ["Fault", "Faults", "Sandbox", "SandboxError", "SandboxOptions", "ServedRequest", "serve_forever"]
