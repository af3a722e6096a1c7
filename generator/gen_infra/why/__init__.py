"""Why a job waits, failed or was killed: gathers the evidence from AWS, and tries every cause of a table on it.

`gather` calls AWS, and notes what it looked at; `messages` reads AWS's words; a cause is a small pure function from the
evidence to its sentence, the evidence for it and what to do; `table` has them in the order in which they are reported.
"""

from __future__ import annotations

from gen_infra.why.answer import Answer, explain, explain_end

__all__ = ["Answer", "explain", "explain_end"]
