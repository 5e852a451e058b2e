"""Files made from a list: one definition of the columns, a writer per format.

spec.Spec        what file is wanted
source.Source    of which rows
writing.write    makes it, whole or not at all, and gives its receipt
lists.TABLES     what can be chosen: tables, columns, presets
"""
