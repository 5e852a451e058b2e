slug = "paysecure"
name = "Paysecure"
