"""The kinds of jobs, and the function that does each."""

from collections.abc import Mapping
from types import MappingProxyType

from tracing.blocking_fill import FILL, fill_job
from tracing.deadline_watch import WATCH, watch_job
from tracing.face_models import REMATCH
from tracing.faces import ANALYSE, analyse_job
from tracing.gallery_erasure import ERASE, erase_job
from tracing.matching import MATCH, match_job
from tracing.matching_batch import MATCH_ALL, match_all_job
from tracing.platform.worker import TaskFunction
from tracing.reembedding import REEMBED, reembed_job, rematch_job
from tracing.review_watch import ASSIGN, assign_job
from tracing.services import Services

REGISTRY: Mapping[str, TaskFunction[Services]] = MappingProxyType(
    {
        ANALYSE: analyse_job,
        MATCH: match_job,
        MATCH_ALL: match_all_job,
        FILL: fill_job,
        ERASE: erase_job,
        REEMBED: reembed_job,
        REMATCH: rematch_job,
        WATCH: watch_job,
        ASSIGN: assign_job,
    }
)
