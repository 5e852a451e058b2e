slug = "stripe"
name = "Stripe"
references = ("payment_intent", "charge", "session", "invoice")
