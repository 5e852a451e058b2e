"""The ledger's part of the API: transactions, refunds, purchases, exports."""
