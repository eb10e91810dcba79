"""Redacts secrets, codes and phone numbers from text before it is stored or logged."""

from .fields import HIDDEN, NO_FIELDS, Fields, fields_of, mask_phone
from .values import (
    LONGEST_CODE,
    SHORTEST_BY_VALUE,
    Redactor,
    mask_numbers,
    redactor,
    spellings,
    storable,
    truncate,
)

__all__ = [
    "HIDDEN",
    "LONGEST_CODE",
    "NO_FIELDS",
    "SHORTEST_BY_VALUE",
    "Fields",
    "Redactor",
    "fields_of",
    "mask_numbers",
    "mask_phone",
    "redactor",
    "spellings",
    "storable",
    "truncate",
]
