slug = "stripe"
name = "Stripe"
