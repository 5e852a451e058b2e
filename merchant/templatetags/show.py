"""Template words: money, times, statuses and ids look the same everywhere."""

from __future__ import annotations

from django import template

register = template.Library()
