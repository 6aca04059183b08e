"""Runs the commands of a document, in their order, in one bash and one scratch directory."""
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SECONDS = 300

# Ports and directories of the machine that documents use. A session has its own instead.
PORTS = ["8080", "8443", "9090", "443", "5432"]
DIRECTORIES = re.compile(r"(?<![\w.$-])/(?=(?:etc/(?:deployd|nginx|haproxy|caddy)|var/lib/deployd|var/log/(?:nginx|caddy)|run/deployd)\b)")

# What differs from run to run in the output of commands.
VOLATILE = [
    (r"\bDate: .*", "Date: DATE"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", "TIME"),
    (r"\(for (?:\d+ (?:d|h|min|s) ?)+\)", "(for SPAN)"),
    (r"\bdpd_[\w-]{43}", "TOKEN"),
]


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def name_of(page):
    """The path of a document in the repository."""
    return page.relative_to(ROOT) if page.is_relative_to(ROOT) else pathlib.Path(page.name)


class Session:
    """Collects steps, then runs them. Each step is a line of the document and shell text."""

    def __init__(self, page, deployd, programs):
        self.page = page
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="deployd-docs-"))
        self.root = self.scratch / "root"
        self.work = self.scratch / "work"
        self.work.mkdir()
        self.root.mkdir()
        self.deployd = deployd
        self.programs = programs
        self.steps = []
        probes = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
        self.ports = dict(zip(PORTS, [str(probe.getsockname()[1]) for probe in probes]))
        for probe in probes:
            probe.close()

    def own(self, text):
        """The text with the ports and directories of this session."""
        text = DIRECTORIES.sub(lambda match: f"{self.root}/", text)
        return re.sub(
            rf"(?<=[\d\]:\w*]:)({'|'.join(PORTS)})\b|(?<=[ '\"]:)({'|'.join(PORTS)})\b|(?<=listen )({'|'.join(PORTS)})\b",
            lambda match: self.ports[match[1] or match[2] or match[3]],
            text,
        )

    def run(self, line, text, *, may_fail=False, expected=None):
        """Adds a step. LINENO in its messages is the line of the document."""
        number = len(self.steps)
        (self.scratch / f"{number}.sh").write_text("\n" * (line - 1) + self.own(text) + "\n", encoding="utf-8")
        self.steps.append((number, line, may_fail, None if expected is None else self.own(expected)))

    def save(self, line, path, text):
        """Adds a step that writes a file."""
        name = self.scratch / f"{len(self.steps)}.saved"
        name.write_text(self.own(text), encoding="utf-8")
        path = self.own(path)
        self.run(line, f"mkdir -p {shlex.quote(os.path.dirname(path) or '.')}; cp {name} {shlex.quote(path)}")

    def driver(self):
        text = ["set -Eeuo pipefail", f". {HERE}/prelude.sh"]
        text.append("trap 'printf \"%s: exit status %s: %s\\n\" \"$LINENO\" \"$?\" \"$BASH_COMMAND\" >&2' ERR")
        text.append("trap 'if declare -F cleanup >/dev/null; then cleanup; fi' EXIT")
        setup = HERE / "setup" / name_of(self.page).with_suffix(".sh")
        if setup.exists():
            text.append(f"echo setup >{self.scratch}/at; . {setup} >{self.scratch}/setup.out 2>&1 </dev/null")
        for number, _, may_fail, _ in self.steps:
            step = f"{self.scratch}/{number}"
            text.append(f"echo {number} >{self.scratch}/at")
            text.append(f". {step}.sh >{step}.out 2>&1 </dev/null" + (" || true" if may_fail else ""))
            # Commands behind `&` have to succeed too.
            text.append(f'for job in $(jobs -p); do wait "$job" >>{step}.out 2>&1' + (" || true" if may_fail else "") + "; done")
        text.append(f"echo done >{self.scratch}/at; stop_deployd")
        return "\n".join(text) + "\n"

    def finish(self):
        """Runs all steps. Returns (line, complaint) of each that failed, at most one that ended the session."""
        if not self.steps:
            shutil.rmtree(self.scratch)
            return []
        (self.scratch / "driver.sh").write_text(self.driver(), encoding="utf-8")
        home = self.scratch / "home"
        home.mkdir()
        (home / ".curlrc").write_text(
            "silent\nfail-with-body\nmax-time = 20\n"
            + "".join(f'connect-to = "deployd.example.com:{own}:127.0.0.1:{own}"\n' for own in self.ports.values())
            + f'connect-to = "deployd.example.com:443:127.0.0.1:{self.ports["443"]}"\n',
            encoding="utf-8",
        )
        environment = {
            "PATH": os.pathsep.join([*(str(folder) for folder in self.programs), os.environ["PATH"], "/usr/sbin", "/sbin"]),
            "HOME": str(home),
            "TMPDIR": str(self.scratch),
            "LC_ALL": "C.UTF-8",
            "DOCS_ROOT": str(self.root),
            "DOCS_SOURCE": str(ROOT),
            "DOCS_DEPLOYD": str(self.deployd),
        }
        environment |= {f"DOCS_PORT_{port}": own for port, own in self.ports.items()}
        environment["DOCS_PORT"] = self.ports["8080"]
        environment |= {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        process = subprocess.Popen(
            ["bash", str(self.scratch / "driver.sh")], cwd=self.work, env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        try:
            said, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            said = f"not done after {SECONDS} s"
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        complaints = self._complaints(process.wait(), said)
        shutil.rmtree(self.scratch)
        return complaints

    def _complaints(self, status, said):
        at = self._output("at").strip()
        complaints = []
        for number, line, _, expected in self.steps:
            if at == str(number) or at == "setup":
                break
            got = self._output(f"{number}.out")
            if expected is not None and not matches(expected, got):
                complaints.append((line, f"the output differs. Documented:\n{expected}\nActual:\n{got}"))
        if status != 0 or at != "done":
            output = self._output(f"{at}.out")
            line = 0 if at in ("setup", "done", "") else self.steps[int(at)][1]
            complaints.append((line, f"{'the setup of the test' if at == 'setup' else 'a command'} failed:\n{output}{said}"))
        return complaints

    def _output(self, name):
        path = self.scratch / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def plain(text):
    text = text.replace("\r", "").strip("\n")
    for volatile, instead in VOLATILE:
        text = re.sub(volatile, instead, text)
    lines = [line.rstrip() for line in text.splitlines()]
    if not has_ipv6():
        lines = [line for line in lines if "[::]" not in line]
    return "\n".join(lines)


def matches(expected, got):
    """True if the output is as documented. `...` in the document stands for any text."""
    pattern = ".*?".join(re.escape(part) for part in plain(expected).split("..."))
    return re.fullmatch(pattern, plain(got), re.DOTALL) is not None
