from typing import Any
def diagnose(*a: Any, **k: Any) -> tuple[Any, ...]: return ()
