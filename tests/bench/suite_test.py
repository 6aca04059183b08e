"""The arithmetic, the data and the tables of the benchmark suite."""
import collections
import dataclasses
import json
import os
import pathlib
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from suite import accounts, budgets, data, figures, html_report, load, markdown_report, processes, results, tables, terminal_report  # noqa: E402


def part(**measured) -> results.PartResult:
    return results.PartResult("One", "./dev bench --only one", "abc", "now", 3, 1.0, measured, {"nginx": "not here"})


def turns(cpu) -> dict[str, list[float]]:
    return {key: list(cpu) for key, _, _ in tables.COLUMNS}


class Arithmetic(unittest.TestCase):
    def test_a_figure_is_the_median_with_its_extremes(self):
        self.assertEqual(figures.figure([3, 1, 2]), figures.Figure(2, 1, 3))
        self.assertEqual(figures.figure([4, 1, 2, 3]).median, 2.5)

    def test_the_spread_is_half_the_range_as_a_share_of_the_median(self):
        self.assertAlmostEqual(figures.figure([90, 100, 120]).spread, 0.15)
        self.assertEqual(figures.figure([0, 0]).spread, 0)

    def test_a_ratio_is_taken_round_by_round(self):
        # The machine was half as fast in the last round: the medians' ratio would be 1.5.
        self.assertEqual(figures.ratio([10, 12, 40], [10, 8, 40]), figures.Figure(1, 1, 1.5))

    def test_a_ratio_to_nothing_is_refused(self):
        with self.assertRaises(ValueError):
            figures.ratio([1.0], [0.0])


class Accounts(unittest.TestCase):
    def test_this_process_has_used_cpu_time_and_memory(self):
        before = accounts.cpu_time([os.getpid()])
        sum(range(300_000))
        used = accounts.cpu_time([os.getpid()]) - before
        self.assertGreater(used.total, 0)
        self.assertGreaterEqual(accounts.memory([os.getpid()]).rss, accounts.memory([os.getpid()]).pss)
        self.assertIn(os.getpid(), accounts.family(os.getppid()))


class Processes(unittest.TestCase):
    def test_what_was_started_ends_with_its_children_when_the_suite_is_stopped(self):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "log"
            with self.assertRaises(KeyboardInterrupt):
                # It ignores SIGHUP as a server might, and has a child of its own, whose number it prints.
                script = 'trap "" HUP; sleep 300 & echo $!; wait'
                with processes.running(["/bin/sh", "-c", script], os.sched_getaffinity(0), log) as process:
                    while not log.read_text().endswith("\n"):
                        self.assertIsNone(process.poll())
                    raise KeyboardInterrupt
            child = int(log.read_text())
            self.assertIsNotNone(process.poll())
            deadline = time.monotonic() + 20
            while self._runs(child):
                self.assertLess(time.monotonic(), deadline, f"process {child} outlives the suite")

    @staticmethod
    def _runs(pid: int) -> bool:
        try:
            return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False


class Loads(unittest.TestCase):
    def test_only_a_run_whose_every_answer_was_right_has_nothing_wrong_but_what_was_not_sent(self):
        def run(**changed):
            return {"requests": 5, "errors": {"total": 0}, "skipped": 3, **changed}

        self.assertTrue(load.only_unsent(run()))
        for other in ({}, run(skipped=0), run(requests=0), run(errors={"total": 1, "500": 1})):
            self.assertFalse(load.only_unsent(other))


class Data(unittest.TestCase):
    def test_a_store_has_its_rows_once_each_and_lists_of_the_promised_lengths(self):
        for rows in (1_000, 100_000):
            ids, lists, patterns = set(), collections.Counter(), {}
            for line in "".join(data.ndjson(rows)).splitlines():
                entry = json.loads(line)
                if "pattern" in entry:
                    patterns[entry["pattern"]["id"]] = entry["pattern"]["name"]
                else:
                    ids.add(entry["deployment"]["id"])
                    lists[entry["deployment"]["pattern_id"]] += 1
            self.assertEqual(ids, set(range(1, rows + 1)))
            lengths = {patterns[pattern]: length for pattern, length in lists.items()}
            self.assertEqual(lengths[data.pattern_name(1)], 100)
            self.assertEqual(lengths.get(data.LONG_PATTERN, 10_000), 10_000)
            self.assertEqual(sum(name.startswith("CORE") for name in patterns.values()), data.small_patterns(rows))


class Budgets(unittest.TestCase):
    def test_a_budget_is_kept_up_to_its_bound(self):
        most = budgets.Budget("one", "cpu", 1.2, "×", budgets.cpu("deployd", "floor"))
        least = budgets.Budget("one", "rate", 40, "×", budgets.compared("rps", "deployd", "floor"), at_least=True)
        for budget, median, kept in ((most, 1.2, True), (most, 1.21, False), (least, 40, True), (least, 39, False)):
            self.assertEqual(budget.kept(figures.Figure(median, median, median)), kept)

    def test_what_was_not_measured_has_no_verdict(self):
        found = budgets.verdicts(results.Results({}, {"one": part(deployd=turns([2.0]))}))
        self.assertTrue(all(verdict.kept is None for verdict in found))

    def test_verdicts_come_from_the_rounds(self):
        measured = part(deployd=turns([11, 12, 13]), floor=turns([10, 10, 10]))
        verdict = budgets.verdicts(results.Results({}, {"one": measured}))[0]
        self.assertEqual((verdict.measured.median, verdict.kept), (1.2, True))


class Reports(unittest.TestCase):
    def test_ratios_stand_first_and_missing_yardsticks_are_named(self):
        measured = part(deployd=turns([11, 12, 13]), floor=turns([10, 10, 10]))
        text = terminal_report.report(results.Results({}, {"one": measured}), ["one"])
        self.assertLess(text.index("Asked and measured"), text.index("One"))
        self.assertIn("1.20 ± 8.3 %", text)
        self.assertIn("Without nginx: not here", text)

    def test_the_page_needs_no_network_and_the_markdown_has_every_cell(self):
        machine = {"processor": "<cpu>", "cores": "2", "kernel": "Linux"}
        found = results.Results(machine, {"one": part(deployd=turns([11, 12, 13]), floor=turns([10, 10, 10]))})
        page = html_report.report(found)
        for word in ("src=", "href=", "@import", "url(", "<script", "<cpu>"):
            self.assertNotIn(word, page)
        self.assertIn("1 of 1 budgets are kept", page)
        self.assertIn("| deployd | 1.20 ± 8.3 % |", markdown_report.report(found, ["One"]))

    def test_a_run_of_one_part_leaves_the_others_on_the_page(self):
        machine, titles = {"processor": "cpu"}, ["One", "Pipelined"]
        both = {"one": part(deployd=turns([11]), floor=turns([10])), "pipelined": part(deployd=turns([1]), nginx=turns([8]))}
        both["pipelined"].title = "Pipelined"
        page = markdown_report.report(results.Results(machine, both), titles)
        again = results.Results(machine, {"pipelined": dataclasses.replace(both["pipelined"], measured={"deployd": turns([3])})})
        after = markdown_report.report(again, titles, page)
        changed = [(old, new) for old, new in zip(page.splitlines(), after.splitlines()) if old != new]
        self.assertIn("| 1.1 × | ± 0.0 % | kept |", after)
        self.assertEqual(len([new for _, new in changed if new.startswith("| pipelined 16 deep")]), 1, changed)
        self.assertEqual(after[: after.index("## Pipelined")].count("| deployd | 1.10"), 1)
        self.assertEqual(markdown_report.report(results.Results(machine, {}), titles, page), page)

    def test_figures_of_two_machines_never_stand_on_one_page(self):
        here = results.Results({"processor": "north"}, {"one": part(deployd=turns([11]))})
        there = results.Results({"processor": "south"}, {"one": part(deployd=turns([10]))})
        other = results.Results(there.machine, {"pipelined": dataclasses.replace(part(), title="Pipelined")})
        titles = ["One", "Pipelined"]
        with self.assertRaises(markdown_report.OtherMachine):
            markdown_report.report(other, titles, markdown_report.report(here, titles))
        self.assertNotIn("north", markdown_report.report(there, titles, markdown_report.report(here, titles)))

    def test_a_part_without_a_rate_lists_its_figures(self):
        found = part(deployd={"first answer after ms": [30.0, 20.0, 40.0]})
        self.assertEqual(tables.part_table(found).rows[1], ["deployd", "first answer after ms", "30", "20", "40"])


if __name__ == "__main__":
    unittest.main()
