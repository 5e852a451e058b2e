"""The database itself refuses to change or delete an audit entry.

Only the link to a user who is deleted may be cut. A later migration that rebuilds the
table on SQLite loses the triggers there and has to run `guard` again.
"""

from django.db import migrations

POSTGRESQL = [
    """
    CREATE FUNCTION merchant_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND NEW.actor_id IS NULL
           AND to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id' THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'the audit log is append-only';
    END $$
    """,
    """
    CREATE TRIGGER merchant_audit_append_only
    BEFORE UPDATE OR DELETE ON merchant_auditentry
    FOR EACH ROW EXECUTE FUNCTION merchant_audit_append_only()
    """,
]
SQLITE = [
    """
    CREATE TRIGGER merchant_audit_no_update BEFORE UPDATE ON merchant_auditentry
    WHEN NOT (
        NEW.actor_id IS NULL AND NEW.id IS OLD.id AND NEW.merchant_id IS OLD.merchant_id
        AND NEW.actor_label IS OLD.actor_label AND NEW.verb IS OLD.verb
        AND NEW.subject_type IS OLD.subject_type AND NEW.subject_id IS OLD.subject_id
        AND NEW.detail IS OLD.detail AND NEW.address IS OLD.address AND NEW.at IS OLD.at
    )
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    """
    CREATE TRIGGER merchant_audit_no_delete BEFORE DELETE ON merchant_auditentry
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
]
UNDO = {
    "postgresql": [
        "DROP TRIGGER merchant_audit_append_only ON merchant_auditentry",
        "DROP FUNCTION merchant_audit_append_only()",
    ],
    "sqlite": [
        "DROP TRIGGER merchant_audit_no_update",
        "DROP TRIGGER merchant_audit_no_delete",
    ],
}


def guard(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for statement in {"postgresql": POSTGRESQL, "sqlite": SQLITE}[vendor]:
        schema_editor.execute(statement)


def unguard(apps, schema_editor):
    for statement in UNDO[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("merchant", "0002_cache_table")]
    operations = [migrations.RunPython(guard, unguard, elidable=False)]
