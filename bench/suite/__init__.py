"""Compares deployd with other servers in alternating rounds. Uses only Python's standard library.

`command_line` runs `parts`; a part lets `contenders` take turns and gives figures: names of what was measured, and for each
the values of the rounds. `budgets` compares them with what is asked, and `report` shows both as Markdown.
"""
