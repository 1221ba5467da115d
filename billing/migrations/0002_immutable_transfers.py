"""A transfer is never updated nor deleted: one trigger a statement refuses it, whoever asks."""

from django.db import migrations

FORBID = """
CREATE FUNCTION billing_transfer_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a transfer is immutable: % is refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation', HINT = 'Correct a ledger with another transfer.';
END
$$;
CREATE TRIGGER billing_transfer_is_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON billing_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION billing_transfer_is_immutable();
"""
ALLOW = """
DROP TRIGGER billing_transfer_is_immutable ON billing_transfer;
DROP FUNCTION billing_transfer_is_immutable();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]

    operations = [migrations.RunSQL(FORBID, ALLOW)]
