slug = "paynow"
name = "PayNow"
