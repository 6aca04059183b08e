"""The command line of `./dev bench`, and the order of its steps."""
import argparse
import pathlib
import signal
import sys

from . import report
from .contenders import Plan
from .parts import PARTS, Part
from .processes import Failed
from .results import Results, this_machine
from .workshop import ROOT, Workshop, say

QUICK = Plan(quick=True, rounds=3, seconds=0.6)
FULL = Plan(quick=False, rounds=5, seconds=1.2)


def main(arguments: list[str]) -> int:
    """Returns the exit status: 0, 1 if something could not be measured, 64 for bad usage."""
    options = _parser().parse_args(arguments)
    if options.list:
        print("\n".join(f"{part.name:<18} {part.title}" for part in PARTS))
        return 0
    # Started processes are ended on exit, after SIGTERM as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with Workshop(options.quick) as workshop:
            return _run(workshop, options)
    except Failed as failure:
        say(f"./dev bench: {failure}")
        return 1
    except KeyboardInterrupt:
        say("./dev bench: stopped; build/bench/results.json has the values of the finished parts")
        return 128 + signal.SIGINT


def _run(workshop: Workshop, options: argparse.Namespace) -> int:
    plan = QUICK if options.quick else FULL
    workshop.build()
    file, titles = workshop.folder / "results.json", [part.title for part in PARTS]
    found, failed = Results(this_machine()), []
    for part in _chosen(options):
        say(f"{part.name}: {part.title}")
        try:
            found.add(part.name, part.title, plan, part.measure(workshop, plan))
        except Failed as failure:
            say(f"./dev bench: {part.name}: {failure}")
            failed.append(part.name)
        finally:
            workshop.stop_servers()
        found.write(file)
    page = report.page(found, titles)
    print(page)
    (workshop.folder / "report.md").write_text(page)
    if found.parts and not options.quick:
        _bring_up_to_date(ROOT / "bench" / "RESULTS.md", found, titles)
    say(f"build/bench/report.md has the report, {file.relative_to(ROOT)} the values of every round.")
    if failed:
        say(f"./dev bench: not measured, see above for the reasons: {', '.join(failed)}")
    return 1 if failed else 0


def _bring_up_to_date(page: pathlib.Path, measured: Results, titles: list[str]) -> None:
    before = page.read_text() if page.exists() else ""
    try:
        page.write_text(report.page(measured, titles, before))
    except report.OtherMachine:
        say(f"\n{page.relative_to(ROOT)} is from another machine and was not changed: only a run of all parts replaces it.")


def _chosen(options: argparse.Namespace) -> list[Part]:
    if options.only:
        return [part for part in PARTS if part.name in options.only]
    return [part for part in PARTS if part.quick or not options.quick]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        say(f"./dev bench: {message}")
        sys.exit(64)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="./dev bench",
        description="Compares deployd with a program that only waits, reads and writes (the floor), nginx, and the original's "
        "stack. A server and its load have a core each; the compared servers take turns.",
        epilog="The parts: " + ", ".join(part.name for part in PARTS) + ".",
    )
    parser.add_argument("--quick", action="store_true", help="measure only the most important parts, in short rounds: under three minutes")
    parser.add_argument(
        "--only",
        action="append",
        metavar="PART",
        choices=[part.name for part in PARTS],
        help="measure only this part, and keep the results of the others in bench/RESULTS.md; repeatable",
    )
    parser.add_argument("--list", action="store_true", help="print the parts and exit")
    return parser
