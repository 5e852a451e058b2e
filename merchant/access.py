"""Who may do what: six roles, one table, and the questions that pages ask it."""

from __future__ import annotations

ROLES = ("owner", "admin", "finance", "support", "developer", "viewer")

#: action -> the roles that may do it. Everything that is guarded stands here.
MAY: dict[str, frozenset[str]] = {
    action: frozenset(roles.split())
    for action, roles in {
        "view_transactions": "owner admin finance support developer viewer",
        "view_customers": "owner admin finance support developer viewer",
        "keep_views": "owner admin finance support developer viewer",
        "share_views": "owner admin finance support developer",
        "write_notes": "owner admin finance support developer",
        "fulfil": "owner admin support",
        "accept_amount": "owner admin finance",
        "clear_flags": "owner admin finance support",
        "set_rules": "owner admin",
        "export": "owner admin finance support",
        "refund": "owner admin finance support",
        "approve_refund": "owner admin finance",
        "set_refund_limits": "owner admin",
        "view_inbound": "owner admin developer",
        "read_again": "owner admin developer",
        "accept_refused": "owner admin developer",
        "view_deliveries": "owner admin developer",
        "resend": "owner admin developer",
        "check_provider": "owner admin finance support developer",
        "manage_connections": "owner admin developer",
        "manage_endpoints": "owner admin developer",
        "manage_projects": "owner admin",
        "view_audit": "owner admin",
    }.items()
}


def may(role: str, action: str) -> bool:
    """Whether the role may do it. An unknown action is a mistake, so it raises."""
    return role in MAY[action]
