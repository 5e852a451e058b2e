"""The record of what was announced and sent, as members read it, count it, and have
parts of it sent again."""
