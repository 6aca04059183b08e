"""The arithmetic, the data and the tables of the benchmark suite."""
import collections
import dataclasses
import json
import os
import pathlib
import re
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from suite import accounts, budgets, contenders, data, load, processes, report, results  # noqa: E402


def part(**measured) -> results.PartResult:
    return results.PartResult("One", "./dev bench --only one", "abc", "now", 3, 1.0, measured, {"nginx": "not here"})


def turns(cpu) -> dict[str, list[float]]:
    return {key: list(cpu) for key, _, _ in report.COLUMNS}


class Arithmetic(unittest.TestCase):
    def test_a_figure_is_the_median_with_its_extremes(self):
        self.assertEqual(results.figure([3, 1, 2]), results.Figure(2, 1, 3))
        self.assertEqual(results.figure([4, 1, 2, 3]).median, 2.5)

    def test_the_spread_is_half_the_range_as_a_share_of_the_median(self):
        self.assertAlmostEqual(results.figure([90, 100, 120]).spread, 0.15)
        self.assertEqual(results.figure([0, 0]).spread, 0)

    def test_a_ratio_is_taken_round_by_round(self):
        # The machine was half as fast in the last round: the medians' ratio would be 1.5.
        self.assertEqual(results.ratio([10, 12, 40], [10, 8, 40]), results.Figure(1, 1, 1.5))

    def test_a_ratio_to_nothing_is_refused(self):
        with self.assertRaises(ValueError):
            results.ratio([1.0], [0.0])


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
        most = budgets.Budget("one", "cpu", 1.2, "×", "deployd", "cpu_us", "floor")
        least = budgets.Budget("one", "rate", 40, "×", "deployd", "rps", "floor", at_least=True)
        for budget, median, kept in ((most, 1.2, True), (most, 1.21, False), (least, 40, True), (least, 39, False)):
            self.assertEqual(budget.kept(results.Figure(median, median, median)), kept)

    def test_what_was_not_measured_has_no_verdict(self):
        table = report.budgets_table(results.Results({}, {"one": part(deployd=turns([2.0]))}))
        self.assertEqual({(row[2], row[4]) for row in table.rows[1:]}, {("not measured", "")})

    def test_verdicts_come_from_the_rounds(self):
        measured = part(deployd=turns([11, 12, 13]), floor=turns([10, 10, 10]))
        self.assertEqual(budgets.BUDGETS[0].measured(measured).median, 1.2)
        self.assertEqual(report.budgets_table(results.Results({}, {"one": measured})).rows[1][2:5], ["1.2 ×", "± 8.3 %", "kept"])


class Turns(unittest.TestCase):
    PLAN = contenders.Plan(quick=False, rounds=2, seconds=1)

    def test_contenders_take_turns_each_after_a_load_that_is_not_counted(self):
        turns_taken = []

        def contender(name: str) -> contenders.Contender:
            def measure(seconds: float) -> dict[str, float]:
                turns_taken.append((name, seconds))
                return {"seconds": seconds}

            return contenders.Contender(name, measure, begin=3, warm_up=2)

        outcome = contenders.take_turns(self.PLAN, [contender("a"), contender("b")])
        self.assertEqual(turns_taken, [("a", 3), ("a", 1), ("b", 3), ("b", 1), ("a", 2), ("a", 1), ("b", 2), ("b", 1)])
        self.assertEqual(outcome.measured, {"a": {"seconds": [1, 1]}, "b": {"seconds": [1, 1]}})

    def test_a_missing_yardstick_is_left_out_and_named_and_anything_else_fails(self):
        def fail(_: float) -> dict[str, float]:
            raise processes.Failed("not here")

        outcome = contenders.take_turns(self.PLAN, [contenders.Contender("nginx", fail, yardstick=True)])
        self.assertEqual((outcome.measured, outcome.missing), ({}, {"nginx": "not here"}))
        with self.assertRaises(processes.Failed):
            contenders.take_turns(self.PLAN, [contenders.Contender("deployd", fail)])


class Reports(unittest.TestCase):
    def test_the_budgets_stand_first_and_missing_yardsticks_are_named(self):
        measured = part(deployd=turns([11, 12, 13]), floor=turns([10, 10, 10]))
        text = report.page(results.Results({"cores": "2"}, {"one": measured}), ["One"])
        self.assertLess(text.index("Asked and measured"), text.index("## One"))
        self.assertIn("| deployd | 1.20 ± 8.3 % |", text)
        self.assertIn("Without nginx: not here", text)

    def test_a_run_of_one_part_leaves_the_others_on_the_page(self):
        machine, titles = {"processor": "cpu"}, ["One", "Pipelined"]
        both = {"one": part(deployd=turns([11]), floor=turns([10])), "pipelined": part(deployd=turns([1]), nginx=turns([8]))}
        both["pipelined"].title = "Pipelined"
        page = report.page(results.Results(machine, both), titles)
        self.assertEqual(report.page(results.Results(machine, {}), titles, page), page)
        again = results.Results(machine, {"pipelined": dataclasses.replace(both["pipelined"], measured={"deployd": turns([3])})})
        page, after = (re.sub(" +", " ", text) for text in (page, report.page(again, titles, page)))
        changed = [(old, new) for old, new in zip(page.splitlines(), after.splitlines()) if old != new]
        self.assertIn("| 1.1 × | ± 0.0 % | kept |", after)
        self.assertEqual(len([new for _, new in changed if new.startswith("| pipelined 16 deep")]), 1, changed)
        self.assertEqual(after[: after.index("## Pipelined")].count("| deployd | 1.10"), 1)

    def test_figures_of_two_machines_never_stand_on_one_page(self):
        here = results.Results({"processor": "north"}, {"one": part(deployd=turns([11]))})
        there = results.Results({"processor": "south"}, {"one": part(deployd=turns([10]))})
        other = results.Results(there.machine, {"pipelined": dataclasses.replace(part(), title="Pipelined")})
        titles = ["One", "Pipelined"]
        with self.assertRaises(report.OtherMachine):
            report.page(other, titles, report.page(here, titles))
        self.assertNotIn("north", report.page(there, titles, report.page(here, titles)))

    def test_a_part_without_a_rate_lists_its_figures(self):
        found = part(deployd={"first answer after ms": [30.0, 20.0, 40.0]})
        self.assertEqual(report.part_table(found).rows[1], ["deployd", "first answer after ms", "30", "20", "40"])


if __name__ == "__main__":
    unittest.main()
