"""Tests of check_documents: check_documents_test.py DEPLOYD"""
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

from check_documents import Page, report
from command_lines import OptionTable

DEPLOYD = pathlib.Path(sys.argv.pop(1)).resolve()
TABLE = OptionTable(DEPLOYD)


def check(text):
    """Number of complaints about a document, and the report."""
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "page.md"
        page.write_text(text, encoding="utf-8")
        read = Page(page, TABLE, DEPLOYD, []).finish()
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            report(read, listed=False)
        return len(read.complaints), output.getvalue()


def block(language, text, marker=""):
    return f"{marker}\n```{language}\n{text}\n```\n"


class Found(unittest.TestCase):
    def assert_found(self, text, complaint):
        complaints, output = check(text)
        self.assertGreater(complaints, 0, output)
        self.assertIn(complaint, output)

    def test_a_command_that_fails_is_found_with_its_line(self):
        self.assert_found("text\n" + block("sh", "true\nfalse"), "page.md:4: a command failed:\n5: exit status 1: false")

    def test_a_command_behind_an_ampersand_that_fails_is_found(self):
        self.assert_found(block("sh", "(sleep 0.1; false) &"), "a command failed")

    def test_a_variable_that_no_command_has_set_is_found(self):
        self.assert_found(block("sh", "echo $TOKEN"), "TOKEN: unbound variable")

    def test_other_output_than_documented_is_found(self):
        self.assert_found(block("console", "$ echo one\ntwo"), "Documented:\ntwo\nActual:\none")

    def test_commands_and_options_that_do_not_exist_are_found_in_blocks_that_are_not_run(self):
        marker = "<!-- not run: a reason -->"
        for call, complaint in {
            "deployd deliver": "deployd has no command 'deliver'",
            "deployd token make": "deployd has no command 'token make'",
            "deployd serve --port 80": "deployd serve has no option --port",
            "sudo -u deployd -- deployd import \\\n  --name x a.csv": "deployd import has no option --name",
            "TOKEN=$(deployd token create --user me)": "deployd token create has no option --user",
            "podman run deployd export --jobs 2": "deployd export has no option --jobs",
            "DEPLOYD_PORTS=1 deployd serve": "there is no variable DEPLOYD_PORTS",
        }.items():
            with self.subTest(call):
                self.assert_found(block("sh", call, marker), complaint)

    def test_commands_and_options_that_do_not_exist_are_found_in_prose(self):
        self.assert_found("Run `deployd serve\n--port 80`.\n", "page.md:1: deployd serve has no option --port")

    def test_text_that_cannot_be_parsed_is_found(self):
        for language, text, complaint in [
            ("json", "{'a': 1}", "json: "),
            ("json", '{"a": 1}\n{"b": 1', "json: "),
            ("toml", "listen =", "toml: "),
            ("toml", "port = 80", "deployd has no option port"),
            ("yaml", "a: [1", "yaml: "),
            ("csv", "id,name\n1", "different numbers of columns"),
            ("sh", "if true", "syntax error"),
            ("sql", "SELECT 1", "documented_sql_test.cpp runs this"),
            ("cobol", "", "no check for blocks of this language"),
            ("", "$ deployd serve", "commands need a block of `sh` or `console`"),
        ]:
            with self.subTest(language, text=text):
                self.assert_found(block(language, text), complaint)

    def test_a_marker_without_a_block_is_found(self):
        self.assert_found("<!-- not run: a reason -->\ntext\n", "the marker above is not before a code block")

    def test_a_step_of_a_pipeline_that_fails_is_found(self):
        github = "jobs:\n  ask:\n    runs-on: x\n    steps:\n      - run: |\n          true\n          test $A = 2"
        for value in ["1", "${{ secrets.TOKEN }}"]:
            self.assert_found(block("yaml", f"env: {{A: '{value}'}}\n{github}"), "a command failed")
        self.assert_found(block("yaml", "variables: {A: 1}\nask:\n  script:\n    - test $A = 2"), "a command failed")

    def test_a_server_configuration_that_is_invalid_is_found(self):
        saved = "<!-- saved as /etc/nginx/sites-enabled/deployd -->"
        self.assert_found(block("nginx", "server { listening 443; }", saved), 'unknown directive "listening"')


class Good(unittest.TestCase):
    def test_commands_share_a_directory_and_variables_and_run_in_order(self):
        complaints, output = check(
            block("sh", "cat > data.ndjson <<'END'\n{\"pattern\":{\"id\":1,\"name\":\"A\"}}\nEND\ndeployd import data.ndjson")
            + block("sh", "TOKEN=$(deployd token create --name x)\ndeployd serve")
            + block("console", '$ curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/api/v1/patterns\n[...]')
            + block("json", '{"a":1}\n{"a":2}')
            + block("sh", "podman run deployd", "<!-- not run: needs Podman -->")
        )
        self.assertEqual(complaints, 0, output)
        self.assertIn("5 commands run, 1 blocks parsed, 0 of plain text, 1 not run", output)
        self.assertIn("page.md:25: not run: needs Podman", output)

    def test_files_and_ports_of_the_machine_are_private(self):
        complaints, output = check(
            block("toml", 'listen = ":8080"\ndatabase = "sqlite:a.db"', "<!-- saved as /etc/deployd/deployd.toml -->")
            + block("sh", "deployd migrate --config /etc/deployd/deployd.toml\ndeployd serve --config /etc/deployd/deployd.toml")
            + block("console", "$ curl http://127.0.0.1:8080/healthz\n...")
        )
        self.assertEqual(complaints, 0, output)


if __name__ == "__main__":
    unittest.main()
