"""The kinds of jobs, and the function that does each."""

from collections.abc import Mapping
from types import MappingProxyType

from tracing import mail_delivery, webhook_delivery
from tracing.blocking_fill import FILL, fill_job
from tracing.deadline_watch import WATCH, watch_job
from tracing.face_models import REMATCH
from tracing.faces import ANALYSE, analyse_job
from tracing.gallery_erasure import ERASE, erase_job
from tracing.lookout_watch import WATCH_LOOKOUTS, watch_lookouts_job
from tracing.matching import MATCH, match_job
from tracing.matching_batch import MATCH_ALL, match_all_job
from tracing.notification_pruning import PRUNE, prune_job
from tracing.notifications import MAIL, WEBHOOK
from tracing.platform.worker import TaskFunction
from tracing.reembedding import REEMBED, reembed_job, rematch_job
from tracing.review_watch import ASSIGN, assign_job
from tracing.services import Services
from tracing.sighting_erasure import ERASE_FILES, erase_files_job
from tracing.sighting_matching import MATCH_LOOKOUT, MATCH_SIGHTING, match_lookout_job, match_sighting_job
from tracing.tidying import TIDY, tidy_job

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
        MAIL: mail_delivery.send_job,
        WEBHOOK: webhook_delivery.send_job,
        PRUNE: prune_job,
        TIDY: tidy_job,
        WATCH_LOOKOUTS: watch_lookouts_job,
        MATCH_SIGHTING: match_sighting_job,
        MATCH_LOOKOUT: match_lookout_job,
        ERASE_FILES: erase_files_job,
        ASSIGN: assign_job,
    }
)
