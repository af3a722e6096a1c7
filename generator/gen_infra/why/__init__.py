"""Why a job waits, failed or was killed: the evidence is gathered from AWS, then every cause of a table is held to it.

`gather` asks AWS, and notes what it looked at; a cause is a small pure function from the evidence to its sentence, the
evidence for it and what to do; `table` holds them in the order in which they are believed.
"""

from __future__ import annotations

from gen_infra.why.answer import Answer, explain

__all__ = ["Answer", "explain"]
