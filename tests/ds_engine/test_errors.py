from __future__ import annotations

import re

import pytest

from ds_engine import errors
from ds_engine.errors import AudioError, InternalError, SpeechError, as_speech_error, kind_and_place, stack_of

ALL = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, SpeechError)]


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    drawn = re.findall(r"^ {4}([│├└─ ]*)(\w+Error)", errors.__doc__ or "", re.MULTILINE)
    assert sorted(name for _, name in drawn) == sorted(error.__name__ for error in ALL)
    for branch, name in drawn:
        depth = len(branch) // 4
        assert len(getattr(errors, name).__mro__) == len(SpeechError.__mro__) + depth


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_code_is_a_stable_lower_case_name(error: type[SpeechError]) -> None:
    assert re.fullmatch(r"[a-z-]+", error.code)
    assert error is SpeechError or "code" in vars(error)


def test_a_speech_error_stays_what_it_is() -> None:
    error = AudioError("broken")
    assert as_speech_error(error, "decoding") is error


def test_anything_else_becomes_the_cause_of_an_internal_error() -> None:
    cause = KeyError("secret word")
    fault = as_speech_error(cause, "decoding")
    assert type(fault) is InternalError
    assert str(fault) == "KeyError while decoding"
    assert fault.__cause__ is cause


def test_place_and_stack_of_an_exception_do_without_its_message() -> None:
    error = KeyError("secret " + "word")
    assert (kind_and_place(error), stack_of(error), stack_of(None)) == ("KeyError", "", "")
    try:
        raise error
    except KeyError:
        assert re.fullmatch(r"KeyError \(test_errors\.py, line \d+\)", kind_and_place(error))
        assert stack_of(error).startswith("  File ")
        assert "secret word" not in stack_of(error)
