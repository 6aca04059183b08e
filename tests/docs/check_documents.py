#!/usr/bin/env python3
"""Runs or parses every code block of README.md and docs/: check_documents.py --deployd PROGRAM [--list] [FILE...]

- `sh` and `console` blocks are run in document order, in one bash and one scratch directory per document. The output shown
  in a `console` block must be the real one; `...` in it stands for any text. Ports such as 8080 and directories such as
  /etc/deployd are replaced by private ones. setup/NAME.sh prepares what the document NAME.md assumes.
- A block that a test cannot run has `<!-- not run: REASON -->` before it. Its syntax and its deployd options are checked.
- `<!-- saved as PATH -->` before a block writes it to that file, for the commands that follow.
- `json`, `toml`, `yaml`, `ini` and `csv` blocks are parsed. The keys of `toml` are options. Steps of GitHub and GitLab
  pipelines in `yaml` are run. `nginx`, `haproxy` and `caddyfile` blocks are checked by these programs.
- `sql` blocks are run by tests/integration/documented_sql_test.cpp.
- `deployd` commands in code spans, and in blocks that are not run, have commands and options that exist.
"""
import argparse
import configparser
import csv
import json
import pathlib
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor

import yaml

from blocks import blocks_and_spans, console_steps
from command_lines import OptionTable, logical_lines
from pipelines import pipeline_steps
from session import ROOT, Session, name_of

SQL_TEST = ROOT / "tests" / "integration" / "documented_sql_test.cpp"
TEXT = {"", "text", "http", "diff"}
# The program that checks a configuration, and how.
SERVERS = {
    "nginx": "check_nginx",
    "haproxy": "check_haproxy",
    "caddyfile": "check_caddy",
}


class Page:
    """The blocks of a document: what is parsed at once, and a session for what is run."""

    def __init__(self, path, table, deployd, programs):
        self.path = path
        self.table = table
        self.complaints = []
        self.run, self.parsed, self.shown, self.not_run = [], [], [], []
        self.session = Session(path, deployd, programs)
        try:
            blocks, spans = blocks_and_spans(path)
        except ValueError as error:
            self.complaints.append((0, str(error)))
            return
        for block in blocks:
            try:
                self.read(block)
            except Exception as error:  # Whatever a parser raises.
                self.complaints.append((block.line, f"{block.language}: {error}"))
        for line, span in spans:
            if re.search(r"(?:^|-- )deployd [a-z-]", span):
                call = re.sub(r"[\[\]<>]", "", span.replace("\\|", ","))
                self.complaints += [(line, what) for what in table.complaints(call)]

    def read(self, block):
        read = {
            "json": self.read_json, "toml": self.read_toml, "yaml": self.read_yaml, "ini": self.read_ini, "csv": self.read_csv,
            "sql": self.read_sql, "sh": self.read_shell, "console": self.read_console,
        }.get(block.language)
        if block.saved_as:
            self.session.save(block.line, block.saved_as, block.text)
        if block.language in SERVERS:
            self.session.run(block.line, f"{SERVERS[block.language]} {block.saved_as}")
            self.run.append((block.line, f"{SERVERS[block.language]} {block.saved_as}"))
        elif read:
            read(block)
            if block.language not in ("sh", "console"):
                self.parsed.append(block)
        elif block.language not in TEXT:
            raise ValueError("no check for blocks of this language")
        elif re.search(r"^\$ ", block.text, re.MULTILINE):
            raise ValueError("commands need a block of `sh` or `console`")
        else:
            self.shown.append(block)
        self.complaints += [(block.line, what) for what in self.table.unknown_variables(block.text)]

    def read_json(self, block):
        try:
            json.loads(block.text)
        except json.JSONDecodeError:
            if len(block.lines()) < 2:
                raise
            for line in block.lines():
                json.loads(line)

    def read_toml(self, block):
        for key in tomllib.loads(block.text):
            if key not in self.table.names():
                raise ValueError(f"deployd has no option {key}")

    def read_ini(self, block):
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.read_string(block.text)

    def read_csv(self, block):
        widths = {len(row) for row in csv.reader(block.lines(), strict=True)}
        if len(widths) != 1:
            raise ValueError("the rows have different numbers of columns")

    def read_sql(self, block):
        source = SQL_TEST.read_text(encoding="utf-8")
        parts = re.findall(rf'documented\("{re.escape(block.page.name)}", "([^"]+)"\)', source)
        if not any(part in block.text for part in parts):
            raise ValueError(f"no test in {SQL_TEST.relative_to(ROOT)} runs this")

    def read_yaml(self, block):
        for name, shell, text, script in pipeline_steps(yaml.safe_load(block.text)):
            self.check_shell(block, text)
            if block.not_run:
                self.not_run.append(block)
                return
            self.session.run(block.line, script)
            self.run.append((block.line, f"{shell}: {name}"))

    def read_shell(self, block):
        self.check_shell(block, block.text)
        if block.not_run:
            self.not_run.append(block)
            return
        self.session.run(block.line, block.text)
        self.run += [(block.line + at, text) for at, text in logical_lines(block.text)]

    def read_console(self, block):
        for line, command, output in console_steps(block):
            self.check_shell(block, command)
            if block.not_run:
                continue
            self.session.run(line, command, may_fail=output != "", expected=output or None)
            self.run.append((line, command))
        if block.not_run:
            self.not_run.append(block)

    def check_shell(self, block, text):
        parsed = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
        if parsed.returncode != 0:
            raise ValueError(parsed.stderr)
        for at, line in logical_lines(text):
            self.complaints += [(block.line + at, what) for what in self.table.complaints(line)]

    def finish(self):
        self.complaints += self.session.finish()
        return self


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--deployd", required=True, type=pathlib.Path)
    arguments.add_argument("--list", action="store_true", help="print each command that is run")
    arguments.add_argument("files", nargs="*", type=pathlib.Path)
    options = arguments.parse_args()
    deployd = options.deployd.resolve()
    table = OptionTable(deployd)
    paths = [path.resolve() for path in options.files] or [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
    pages = [Page(path, table, deployd, [deployd.parent]) for path in paths]
    with ThreadPoolExecutor(4) as pool:
        for page in pool.map(Page.finish, pages):
            report(page, options.list)
    total = [sum(len(getattr(page, kind)) for page in pages) for kind in ("run", "parsed", "shown", "not_run")]
    print("{0} documents: {1} commands run, {2} blocks parsed, {3} of plain text, {4} marked as not run".format(len(pages), *total))
    return 1 if any(page.complaints for page in pages) else 0


def report(page, listed):
    name = name_of(page.path)
    if page.run or page.parsed or page.shown or page.not_run:
        counts = f"{len(page.parsed)} blocks parsed, {len(page.shown)} of plain text, {len(page.not_run)} not run"
        print(f"{name}: {len(page.run)} commands run, {counts}")
    if listed:
        for line, command in page.run:
            print(f"  {name}:{line}: {command}")
    for block in page.not_run:
        print(f"  {name}:{block.line}: not run: {block.not_run}")
    for line, complaint in page.complaints:
        print(f"{name}:{line}: {complaint}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
