"""What the organisation tells when it is read: users, fields, services, business hours, preferences, scoring rules."""

from bulkzcrm.readings.lists import list_pages
from bulkzcrm.readings.organisation import read_current_user, read_organisation, wanted_readings
from bulkzcrm.readings.services import moment, read_created_since, read_service, read_services, read_some_services

__all__ = [
    "list_pages",
    "moment",
    "read_created_since",
    "read_current_user",
    "read_organisation",
    "read_service",
    "read_services",
    "read_some_services",
    "wanted_readings",
]
