"""What an adapter is to the host: a name, its options, and an async context manager that serves while it is entered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ds_plugin.config import ConfigError, Option, Values

if TYPE_CHECKING:
    from ds_plugin.host import Host


class Serving(Protocol):
    """An adapter that is being served."""

    @property
    def address(self) -> str:
        """Where clients reach it, e.g. tcp://127.0.0.1:10300."""
        ...

    async def wait(self) -> None:
        """Returns when the adapter has ended by itself (stdin closed, say); raises the fault that ended it."""
        ...


@dataclass(frozen=True, slots=True)
class Adapter:
    """What the hook `ds_register_adapter` registers."""

    name: str  # in `ds-plugin serve NAME`, and the configuration section of its options
    help: str
    options: tuple[Option, ...]
    serve: Callable[[Host, Values], AbstractAsyncContextManager[Serving]]
    """Entering listens, leaving drains and stops. Raises InputError where an option cannot be used (a port in use, say)."""


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Around the imports that an adapter makes once it serves. Raises ConfigError that says which extra is missing."""
    try:
        yield
    except ImportError as error:
        raise ConfigError(f"{name}: needs the extra {name!r}, pip install 'ds-plugin[{name}]' ({error})") from error
