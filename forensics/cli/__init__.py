"""The command line: verbs, options, screens and exit codes. The only package that prints."""

from __future__ import annotations

import gc
import importlib
import os
import sys

import click

from forensics import __version__
from forensics.errors import ForensicsError

VERBS = {
    "analyze": ("forensics.cli.verbs.analyze", "Find out why a revision fails, and write the documents."),
    "compare": ("forensics.cli.verbs.compare", "Compare a revision with another one, and write the documents."),
    "cycle": (
        "forensics.cli.verbs.cycle",
        "Record a turn of the test–deploy loop, check earlier claims, draft its report.",
    ),
    "gate": (
        "forensics.cli.verbs.gate",
        "Judge a deployment against its baseline, for CI: pass, fail, or too little traffic.",
    ),
    "pull": ("forensics.cli.verbs.pull", "Pull a revision's entries from Cloud Logging into a case."),
    "watch": ("forensics.cli.verbs.watch", "Follow a rollout live, then find out why it fails."),
    "render": ("forensics.cli.verbs.render", "Write the documents of a saved report.json again, without logs."),
    "verify": ("forensics.cli.verbs.verify", "Check that a case is still as it was written."),
    "rules": ("forensics.cli.verbs.rules", "List, show and check the rule files."),
}
"""verb → (module, one-line help). Modules are imported when their verb is called, so that --help stays quick."""


class Verbs(click.Group):
    """A group whose commands live in modules of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the verbs."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb."""
        del ctx
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(VERBS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])


EPILOG = """\b
Exit codes:
  0  done, and nothing at or above --fail-on (unset: findings never fail)
  1  findings at or above --fail-on
  2  could not analyze: bad usage, no such revision, unreadable logs, bad rule
  3  gate: not enough traffic to tell

\b
Examples:
  forensics analyze --revision netra-backend-staging-00180
  forensics compare netra-backend-staging-00179 netra-backend-staging-00180
  forensics analyze --revision all --logs samples/module-missing-crash-loop/logs
"""


@click.group(
    cls=Verbs, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="forensics")
def cli() -> None:
    """Find out from Cloud Run logs why a revision fails.

    Names the failures by rule files, groups them, links symptoms to causes, and writes five-whys documents and a
    postmortem draft in which every sentence can be checked.
    """


def main() -> None:
    """Run the command line; what a user can mend is one line on stderr and exit code 2."""
    # Imports and inputs live until the end of a run: collecting garbage would find nothing.
    gc.disable()
    try:
        cli.main(prog_name="forensics", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        click.echo("forensics: stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        click.echo(f"forensics: {error.format_message()}", err=True)
        sys.exit(2)
    except ForensicsError as error:
        click.echo(f"forensics: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output has left (`| head`); point stdout elsewhere, so that Python's own flush stays quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    finally:
        gc.freeze()
