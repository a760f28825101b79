"""`python -m ntksym.replay FILE`: 0 confirmed, 1 not confirmed, 2 not readable."""

from __future__ import annotations

import sys

from .checker import verify
from .problem import BadCertificate
from .reading import read


def main(arguments: list[str]) -> int:
    """The exit status; the report is printed."""
    if len(arguments) != 1:
        print("usage: python -m ntksym.replay FILE", file=sys.stderr)
        return 2
    try:
        data = read(arguments[0])
    except BadCertificate as error:
        print(error, file=sys.stderr)
        return 2
    result = verify(data)
    print("\n".join(result.lines))
    return 0 if result.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
