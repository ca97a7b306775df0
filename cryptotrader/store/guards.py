"""What the database itself refuses, whoever asks: the audit log is only ever added to."""

from __future__ import annotations

REFUSAL = "the audit log is only ever added to"


def create_guards(dialect: str) -> tuple[str, ...]:
    """Return the statements that protect the audit log, in the dialect's words."""
    if dialect == "sqlite":
        return tuple(
            f"CREATE TRIGGER audit_no_{verb} BEFORE {verb.upper()} ON audit BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            for verb in ("update", "delete")
        )
    return (
        f"CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    )


def drop_guards(dialect: str) -> tuple[str, ...]:
    """Return the way back."""
    if dialect == "sqlite":
        return ("DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete")
    return ("DROP FUNCTION audit_refuse() CASCADE",)
