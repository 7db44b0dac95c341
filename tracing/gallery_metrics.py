"""What the gallery tells Prometheus: how large, how far behind, how quick, how complete. No face, no person."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class GalleryMetrics:
    """The figures of one process, in a registry of their own."""

    def __init__(self) -> None:
        """Nothing counted yet."""
        self.registry = CollectorRegistry()
        labels = ("model_version",)
        self.faces = Gauge("guitu_index_faces", "Faces in the index.", labels, registry=self.registry)
        self.ready = Gauge("guitu_index_ready", "1 when searches are answered.", labels, registry=self.registry)
        self.lag = Gauge(
            "guitu_index_lag_changes", "Logged changes not yet applied, when last looked.", labels,
            registry=self.registry,
        )  # fmt: skip
        self.tombstones = Gauge(
            "guitu_index_tombstone_share", "Removed faces that still take room, 0 to 1.", labels, registry=self.registry
        )
        self.recall = Gauge(
            "guitu_index_recall", "Share of the exact search's hits found, in a sample, 0 to 1.", labels,
            registry=self.registry,
        )  # fmt: skip
        self.catching_up = Histogram(
            "guitu_index_catch_up_seconds", "Following the change log before a search.", buckets=BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self.searching = Histogram(
            "guitu_index_search_seconds", "Searching, without catching up.", buckets=BUCKETS, registry=self.registry
        )
        self.queries = Counter("guitu_index_queries", "Embeddings searched for.", registry=self.registry)
        self.in_milvus = Gauge(
            "guitu_index_in_milvus",
            "1 when searches are answered by Milvus, 0 by each process.",
            registry=self.registry,
        )
        self.feeding = Histogram(
            "guitu_index_feeding_seconds", "This process's feedings of the index in Milvus.", buckets=BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self.unreachable = Counter(
            "guitu_index_unreachable", "Times Milvus did not answer, or refused.", registry=self.registry
        )
        self.rebuilds = Counter("guitu_index_rebuilds", "Times an index was made anew.", registry=self.registry)

    def text(self) -> bytes:
        """Everything in Prometheus's text form."""
        return generate_latest(self.registry)
