"""Compares deployd with other servers in alternating rounds. Uses only Python's standard library.

`command_line` runs `parts`; a part lets `contenders` take turns, or does something of its own, and gives figures: names
of what was measured, and for each the values of the rounds. `budgets` compares them with what DESIGN.md asks, and the
`*_report` modules say it on the terminal, as a page and as Markdown.
"""
