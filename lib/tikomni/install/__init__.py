"""Getting onto a machine: the managed environment, the scripts' way into it, skills in agents' folders.

Must not call an upstream or read a key.
"""
