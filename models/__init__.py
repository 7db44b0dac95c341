"""What is stored: SQLAlchemy 2 typed classes. Importing this package registers every table."""

from models import (
    audit,
    candidate,
    case,
    confirmation,
    contact,
    face,
    face_model,
    idempotency,
    job,
    organisation,
    outcome,
    photo,
    profile,
    report,
    review,
    subject,
    user,
)
from models.base import Base

__all__ = [
    "Base",
    "audit",
    "candidate",
    "case",
    "confirmation",
    "contact",
    "face",
    "face_model",
    "idempotency",
    "job",
    "organisation",
    "outcome",
    "photo",
    "profile",
    "report",
    "review",
    "subject",
    "user",
]
