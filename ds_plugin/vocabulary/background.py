"""What goes on beside the recognition: a fault there is a line of the log, and no reason to end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ds_engine.errors import SpeechError, kind_and_place


@contextmanager
def faults_logged(log: logging.Logger, what: str) -> Iterator[None]:
    """Logs what is raised within, a fault of ours by kind and place alone; `what` begins the line."""
    try:
        yield
    except SpeechError as error:
        log.warning("%s: %s", what, error)
    except Exception as error:  # noqa: BLE001 - whatever it is, what goes on must not end
        log.error("%s: %s", what, kind_and_place(error))  # noqa: TRY400 - its message and trace may hold what was said
