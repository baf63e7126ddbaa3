"""The command line: every verb is one function; a mistake of the user is one message, never a traceback."""

from __future__ import annotations

import os
import signal
import sys

import typer

from il2.errors import Il2Error

app = typer.Typer(
    name="il2",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="An executable model of the interleukin-2 system: how cells answer IL-2, IL-4, IL-7, IL-9, IL-15, IL-21, "
    "muteins and fusions, alone or with antibodies, soluble receptors, inhibitors and knock-outs; and what is known of "
    "the system, who says so, and where they differ.",
)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and the parameter set.")) -> None:
    if version:
        from il2 import __version__
        from il2.knowledge.parameters import CURRENT, fingerprint

        typer.echo(f"il2 {__version__}, parameter set {CURRENT} ({fingerprint()}); on the CPU, no GPU back end yet")
        raise typer.Exit()


def main() -> None:
    """Entry point of `il2`: exit code 2 for a mistake of the user."""
    from il2.cli import (  # noqa: F401  each adds its verb
        cite,
        claims,
        culture,
        experiment,
        explain,
        export,
        fit,
        gene,
        lint,
        molecules,
        population,
        respond,
        targets,
        treat,
        validate,
    )

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that temporary files are removed
    try:
        app()
    except Il2Error as error:
        print(f"il2: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"il2: {where}{error.strerror or error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("il2: stopped", file=sys.stderr)
        sys.exit(130)
