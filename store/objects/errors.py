"""What an object store cannot do just now. Each is an OSError too: whoever retries on those retries on these."""

from store.errors import StoreError


class StorageAway(StoreError, OSError):
    """The object store does not answer, or answers with a failure of its own. Trying again later may help."""

    code = "object_store_unavailable"


class StorageRefused(StorageAway):
    """The object store answers and refuses us: keys, bucket or rights are wrong. An operator must act."""

    code = "object_store_refused"


class StorageFull(StorageAway):
    """The object store has no room left; what was there before is whole."""

    code = "object_store_full"
