slug = "paysuper"
name = "PaySuper"
