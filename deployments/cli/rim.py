"""The rim: every refusal becomes one sentence, or one JSON document, and an exit code. 0 done, 1 failed, 2 refused."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from typer.main import get_command

from cryptotrader.errors import CryptoTraderError, InputRefused
from deployments.cli.app import app
from deployments.cli.output import note, write_json

DONE, FAILED, REFUSED = 0, 1, 2
PROGRAM = "cryptotrader"

FLAGS = {
    "num_grids": "grids",
    "tick_size": "tick",
    "lot_step": "lot",
    "trigger_price": "trigger",
    "stop_loss_price": "stop-loss",
    "take_profit_price": "take-profit",
}
"""The flag of a field that is called otherwise inside."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: the words after the program's name; None: those of this process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words
    try:
        code = get_command(app).main(args=words, prog_name=PROGRAM, standalone_mode=False)
    except InputRefused as refused:
        return _fail(REFUSED, str(refused), _document(refused), as_json=as_json)
    except CryptoTraderError as failed:
        return _fail(FAILED, str(failed), _message(str(failed)), as_json=as_json)
    except typer.TyperException as misused:
        return _misused(misused, words, as_json=as_json)
    except typer.Abort:
        return FAILED
    except OSError as error:
        sentence = f"{error.filename or 'The system'}: {error.strerror or error}."
        return _fail(FAILED, sentence, _message(sentence), as_json=as_json)
    return code if isinstance(code, int) else DONE


def _misused(misused: typer.TyperException, words: list[str], *, as_json: bool) -> int:
    """Word a flag that is missing, unknown or unreadable."""
    message = misused.format_message().replace("Value error, ", "")
    sentence, hint = f"{message.rstrip('.')}.", f"See `{_help_for(misused)} --help`."
    flag = _flag_of(misused)
    value = words[words.index(flag) + 1] if flag in words[:-1] else ""
    document = {"field": flag_name(flag), "value": value, "message": sentence, "hint": hint}
    return _fail(misused.exit_code, f"{sentence} {hint}", document, as_json=as_json)


def _fail(code: int, sentence: str, document: dict[str, str], *, as_json: bool) -> int:
    if as_json:
        write_json({"error": document})
    else:
        note(sentence)
    return code


def _document(refused: InputRefused) -> dict[str, str]:
    return {
        "field": flag_name(refused.field),
        "value": refused.value,
        "message": refused.message,
        "hint": refused.hint,
    }


def _message(text: str) -> dict[str, str]:
    return {"field": "", "value": "", "message": text, "hint": ""}


def flag_name(field: str) -> str:
    """Return a refused field as the user knows it: a flag without its dashes, or a setting."""
    if field.isupper():
        return field
    return FLAGS.get(field, field.removeprefix("--").replace("_", "-"))


def _flag_of(misused: typer.TyperException) -> str:
    """Return the flag that a usage error is about, as far as it says so."""
    parameter = getattr(misused, "param", None)
    return getattr(misused, "option_name", None) or (parameter.opts[0] if parameter is not None else "")


def _help_for(misused: typer.TyperException) -> str:
    context = getattr(misused, "ctx", None)
    return context.command_path if context is not None else PROGRAM
