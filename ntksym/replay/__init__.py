"""An independent checker of certificates: of this package and others, only python-flint.

`read(path)` gives the data of a file, `verify(data)` a `Result`; `python -m ntksym.replay FILE`.
What it trusts: `derivations/identities/certificate.md`.
"""

from .checker import Result as Result
from .checker import digest as digest
from .checker import verify as verify
from .problem import BadCertificate as BadCertificate
from .reading import parse as parse
from .reading import read as read
