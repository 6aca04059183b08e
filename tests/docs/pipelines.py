"""The shell steps of GitHub Actions workflows and GitLab pipelines, as scripts that a test can run.

Secrets and variables of the CI system are variables of the same name in the document's session.
"""
import re
import shlex


def pipeline_steps(document):
    """(name, CI system, text, script to run) of each step. A document that is no pipeline has none."""
    if not isinstance(document, dict):
        return
    for name, job in document.items():
        if isinstance(job, dict) and "script" in job:
            variables = {**document.get("variables", {}), **job.get("variables", {})}
            text = lines_of(job["script"])
            yield name, "GitLab", text, script_of(text, variables, "sh")
    jobs = document.get("jobs")
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        for step in job["steps"]:
            if "run" in step:
                variables = {**document.get("env", {}), **job.get("env", {}), **step.get("env", {})}
                yield step.get("name", name), "GitHub", step["run"], script_of(step["run"], variables, "bash")


def lines_of(script):
    return script if isinstance(script, str) else "\n".join(script)


def script_of(text, variables, shell):
    """A script in a shell of its own, which ends at the first failing command as on the CI system."""
    assignments = []
    for name, value in variables.items():
        inner = re.fullmatch(r"\$\{\{ (?:secrets|vars)\.(\w+) \}\}", str(value))
        assignments.append(f'export {name}="${inner[1]}"' if inner else f"export {name}={shlex.quote(str(value))}")
    return "(\n" + "\n".join(assignments) + f"\n{shell} -e -c {shlex.quote(text)}\n)"
