"""What can be wrong with Home Assistant, by what is to be done about it.

SpeechError
└── ApiError            nothing can be read now
    ├── UnreachableError    it is away, slow, or was in the middle of something: try again
    ├── DeniedError         it does not let us in: somebody must mend the token
    ├── ProtocolError       what it sends is not its API
    └── RefusedError        it refuses one command; the connection is good

No message quotes what was sent or received: it may hold the token, or names.
"""

from __future__ import annotations

from ds_engine.errors import SpeechError


class ApiError(SpeechError):
    """Nothing can be read from Home Assistant now."""

    code = "home-assistant"


class UnreachableError(ApiError):
    """It cannot be reached, does not answer in time, or the connection broke."""

    code = "home-assistant-unreachable"


class DeniedError(ApiError):
    """It refuses the token, or this machine."""

    code = "home-assistant-denied"


class ProtocolError(ApiError):
    """It sends what its API does not."""

    code = "home-assistant-protocol"


class RefusedError(ApiError):
    """It refuses a command: one for administrators, or one that it does not know."""

    code = "home-assistant-refused"
