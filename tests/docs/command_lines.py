"""The command lines in shell text, and whether deployd has the commands and options that they use."""
import re
import shlex
import subprocess

OPERATORS = {"|", "||", "&", "&&", ";", ";;", "(", ")", "<", ">", ">>", "|&"}


def logical_lines(text):
    """(index of the first line, text) of each command line: continued lines are joined, here-documents are left out."""
    lines, at = text.splitlines(), 0
    while at < len(lines):
        start, line = at, lines[at]
        while line.endswith("\\") and at + 1 < len(lines):
            at += 1
            line = line[:-1] + lines[at].lstrip()
        at += 1
        ends = re.findall(r"<<-?\s*['\"]?(\w+)['\"]?", line)
        for end in ends:
            while at < len(lines) and lines[at].strip() != end:
                at += 1
            at += 1
        if line.strip() and not line.lstrip().startswith("#"):
            yield start, line.strip()


def words_of(line):
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.commenters = ""
    words = []
    for word in lexer:
        if word.startswith("#"):
            break
        words.append(word)
    return words


class OptionTable:
    """The commands of a deployd and their options, from its help."""

    def __init__(self, deployd):
        self.options = {"": {"help", "version"}, "help": set(), "version": set()}
        self._read(deployd, ())

    def _read(self, deployd, command):
        text = subprocess.run([deployd, "help", *command], capture_output=True, text=True, check=True).stdout
        if command:
            self.options[" ".join(command)] = set(re.findall(r"^ +(?:-\w,)?--([a-z0-9-]+)", text, re.MULTILINE))
        commands = re.search(r"^(?:Subcommands|Commands):\n((?:  .*\n)+)", text, re.MULTILINE)
        for name in re.findall(r"^  ([a-z]+) ", commands[1] if commands else "", re.MULTILINE):
            self._read(deployd, (*command, name))

    def names(self):
        """All options that a configuration file can have."""
        return set().union(*self.options.values()) - {"help", "version", "config"}

    def variables(self):
        """All environment variables."""
        return {"DEPLOYD_" + name.upper().replace("-", "_") for name in self.names() | {"config", "jwt-secret"}}

    def complaints(self, line):
        """What is wrong with the calls of deployd in a command line."""
        for inner in re.findall(r"\$\(([^()]*)\)", line):
            yield from self.complaints(inner)
        line = re.sub(r"\$\([^()]*\)", "X", line)
        try:
            words = words_of(line)
        except ValueError as error:
            yield f"{line}: {error}"
            return
        for at, word in enumerate(words):
            if word != "deployd" and not word.endswith("/bin/deployd"):
                continue
            before = words[at - 1] if at else ";"
            behind = words[at + 1 :]
            first = before in OPERATORS or before == "--" or re.fullmatch(r"\w+=.*", before) is not None
            # `podman run ... deployd migrate` names an image, whose entry point is deployd.
            if first or (behind and behind[0] in self.options and before != "-u"):
                yield from self._call(behind)

    def _call(self, words):
        for at, word in enumerate(words):
            if word in OPERATORS:
                words = words[:at]
                break
        plain = []
        for word in words[:2]:
            if not re.fullmatch(r"[a-z]+", word):
                break
            plain.append(word)
        command = " ".join(plain)
        if command not in self.options:
            command = plain[0] if plain else ""
        if command not in self.options or (command == "token" and len(plain) > 1):
            yield f"deployd has no command '{' '.join(plain)}'"
            return
        for word in words:
            option = re.match(r"--([a-z0-9-]+)", word)
            if option and option[1] not in self.options[command] | {"help"}:
                yield f"deployd {command} has no option --{option[1]}"

    def unknown_variables(self, text):
        for name in set(re.findall(r"\bDEPLOYD_[A-Z_]+\b", text)) - self.variables():
            yield f"there is no variable {name}"
