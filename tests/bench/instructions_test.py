"""What the instruction guard concludes from its counts, and that nothing turns it off."""
import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
GUARD = pathlib.Path(__file__).resolve().parents[2] / "bench" / "instructions"
loader = importlib.machinery.SourceFileLoader("instructions", str(GUARD))
guard = importlib.util.module_from_spec(importlib.util.spec_from_loader("instructions", loader))
sys.modules["instructions"] = guard
loader.exec_module(guard)

HERE = "c++ 12.2.0, OpenSSL 3.0.22"
ELSEWHERE = "c++ 12.2.0, OpenSSL 3.0.19"


def verdict(now: int, valid_for: str, committed: dict[str, int]) -> tuple[int, str]:
    """The exit status, and what is printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = guard.compare({"one": now}, committed, valid_for, HERE)
    return status, printed.getvalue()


class Comparison(unittest.TestCase):
    def test_with_the_same_versions_three_percent_are_tolerated(self):
        for now, status in ((10000, 0), (10290, 0), (9710, 0), (10310, 1), (9690, 1)):
            found, printed = verdict(now, HERE, {"one": 10000})
            self.assertEqual(found, status, printed)
            self.assertNotIn("COMPARED WITHIN", printed)

    def test_with_other_versions_ten_percent_are_tolerated_and_named(self):
        for now, status in ((10000, 0), (10990, 0), (9010, 0), (11010, 1), (8990, 1)):
            found, printed = verdict(now, ELSEWHERE, {"one": 10000})
            self.assertEqual(found, status, printed)
            self.assertIn("COMPARED WITHIN 10% instead of 3%", printed)
            self.assertIn(HERE, printed)
            self.assertIn(ELSEWHERE, printed)

    def test_a_row_without_a_committed_number_fails(self):
        self.assertEqual(verdict(10000, HERE, {})[0], 1)
        self.assertEqual(verdict(10000, ELSEWHERE, {})[0], 1)


class Committed(unittest.TestCase):
    def test_every_row_has_a_committed_number_and_no_other_has(self):
        valid_for, counts = guard.read_committed()
        self.assertTrue(valid_for)
        self.assertEqual(set(counts), {row.name for row in guard.ROWS})


class Versions(unittest.TestCase):
    def test_the_version_of_a_library_is_that_of_the_one_the_program_is_linked_to(self):
        version = guard.version_of(pathlib.Path("/bin/sh"), "libc.so", "gnu_get_libc_version")
        self.assertRegex(version, r"^2\.\d+")
        self.assertEqual(guard.version_of(pathlib.Path("/bin/sh"), "libsqlite3.so", "sqlite3_libversion"), "unknown")


class Missing(unittest.TestCase):
    def test_what_is_missing_is_a_failure(self):
        for arguments, path in (([sys.executable, GUARD, "--program", "/bin/true"], "/nonexistent"),
                                ([sys.executable, GUARD, "--program", "/nonexistent"], "/usr/bin:/bin")):
            ended = subprocess.run(arguments, env={"PATH": path}, capture_output=True, text=True)
            self.assertEqual(ended.returncode, 1, ended.stderr)
            self.assertTrue(ended.stderr.startswith("instructions: "), ended.stderr)


if __name__ == "__main__":
    unittest.main()
